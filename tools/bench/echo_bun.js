// The echo of echo.osp in Bun: bun echo_bun.js PORT [broadcast | deflate | tls CERTIFICATE KEY]
const [port, mode, certificate, key] = process.argv.slice(2);
const compress = mode === "deflate";
Bun.serve({
  port: Number(port),
  hostname: "127.0.0.1",
  tls: mode === "tls" ? { cert: Bun.file(certificate), key: Bun.file(key) } : undefined,
  fetch: (request, server) =>
    server.upgrade(request) ? undefined : new Response("WebSocket only", { status: 400 }),
  websocket: {
    perMessageDeflate: compress ? { compress: "dedicated", decompress: "dedicated" } : false,
    open: (client) => mode === "broadcast" && client.subscribe("all"),
    message: (client, message) => {
      if (mode === "broadcast") {
        client.publish("all", message);
        client.send(message);
      } else {
        client.send(message, compress);
      }
    },
  },
});
console.log("listening");
