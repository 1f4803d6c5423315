// A client with the npm package ws for an echo server: node_client.js MODULES URL [CERTIFICATE] Sends text, binary,
// empty, large and fragmented messages, with and without compression; a ping; a close with code and reason.
const assert = require('assert');
const fs = require('fs');
const { WebSocket } = require(process.argv[2] + '/ws');

const url = process.argv[3];
const ca = process.argv[4] && fs.readFileSync(process.argv[4]);
const payloads = ['Hello', '', 'κόσμε 🦅 \u0000 end', 'x'.repeat(70000), Buffer.from([0, 1, 254, 255]), Buffer.alloc(0),
  Buffer.alloc(1 << 20, 7)];

function talk(perMessageDeflate) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate, ca });
    const heard = [];
    let ponged = false;
    socket.on('error', reject);
    socket.on('open', () => {
      for (const payload of payloads) socket.send(payload);
      for (let i = 0; i < 5; i++) socket.send('part ' + i + ' ', { fin: i === 4 });
      socket.ping('are you there?');
    });
    socket.on('pong', (data) => { ponged = String(data) === 'are you there?'; });
    socket.on('message', (data, isBinary) => {
      heard.push(isBinary ? data : String(data));
      if (heard.length === payloads.length + 1) socket.close(3001, 'enough');
    });
    socket.on('close', (code, reason) => {
      assert.deepStrictEqual(heard, [...payloads, 'part 0 part 1 part 2 part 3 part 4 ']);
      assert.ok(ponged);
      assert.deepStrictEqual([code, socket.extensions], [3001, perMessageDeflate ? socket.extensions : '']);
      if (perMessageDeflate) assert.ok(socket.extensions.startsWith('permessage-deflate'));
      resolve();
    });
  });
}

talk(false)
  .then(() => talk(true))
  .then(() => console.log('done'), (error) => { console.error(error); process.exit(1); });
