// The echo of echo.osp with npm's ws: node echo_ws.js FOLDER-OF-WS PORT [broadcast | deflate | tls CERTIFICATE KEY]
const fs = require("fs");
const [folder, port, mode, certificate, key] = process.argv.slice(2);
const { WebSocketServer } = require(folder);
const server =
  mode === "tls"
    ? require("https").createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
    : require("http").createServer();
const perMessageDeflate = mode === "deflate" ? { threshold: 0 } : false;
const sockets = new WebSocketServer({ server, perMessageDeflate });
sockets.on("connection", (client) =>
  client.on("message", (message, binary) => {
    for (const each of mode === "broadcast" ? sockets.clients : [client]) {
      each.send(message, { binary });
    }
  }),
);
server.listen(Number(port), "127.0.0.1", () => console.log("listening"));
