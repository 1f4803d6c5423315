// A client on each of two members: each broadcasts 2,000 texts, and hears those of both.
const WebSocket = require('ws');
const COUNT = 2000;
const next = [[0, 0], [0, 0]];
const clients = process.argv.slice(2).map(port => new WebSocket(`ws://127.0.0.1:${port}/`));
let ready = 0, settled = [new Set(), new Set()], done = 0;

function start() {
  clients.forEach((client, sender) => {
    for (let n = 0; n < COUNT; n++) client.send(`all node ${sender} ${n}`);
  });
}

clients.forEach((client, hearer) => {
  client.on('open', () => ++ready === 2 && clients.forEach((c, n) => c.send(`all hello ${n}`)));
  client.on('message', data => {
    const text = data.toString();
    if (text.startsWith('hello ')) {
      settled[hearer].add(text);
      if (settled.every(set => set.size === 2)) start();
      return;
    }
    const [, sender, n] = text.match(/^node (\d) (\d+)$/);
    if (next[hearer][sender]++ !== Number(n)) throw new Error(`${text} in the place of ${next[hearer][sender] - 1}`);
    if (next[hearer][sender] === COUNT && ++done === 4) {
      console.log(`each heard ${COUNT} of ${COUNT} in order`);
      clients.forEach(c => c.close());
    }
  });
});
