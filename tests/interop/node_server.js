// An echo server with the npm package ws: node_server.js MODULES [CERTIFICATE KEY]. Prints its port. Serves until end
// of input. "everyone" is answered by a broadcast of 1 MiB. "room" is sent to all that have sent "join".
const fs = require('fs');
const http = require('http');
const https = require('https');
const { WebSocketServer } = require(process.argv[2] + '/ws');

const [certificate, key] = process.argv.slice(3);
const server = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : http.createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 }, maxPayload: 1 << 25 });
const mebibyte = '0123456789abcdef'.repeat(65536);
sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => {
  if (data.length === 8 && data.toString() === 'everyone')
    sockets.clients.forEach((client) => client.send(mebibyte));
  else if (data.length === 4 && data.toString() === 'join')
    socket.joined = true;
  else if (data.length === 4 && data.toString() === 'room')
    sockets.clients.forEach((client) => client.joined && client.send('to the room'));
  else
    socket.send(data, { binary: isBinary });
}));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
