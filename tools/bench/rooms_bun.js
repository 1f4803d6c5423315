// The same chat as rooms.osp, in Bun: bun rooms_bun.js PORT
const server = Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  fetch(request, server) {
    return server.upgrade(request, { data: { room: "" } }) ? undefined : new Response("WebSocket only", { status: 400 });
  },
  websocket: {
    message(client, message) {
      if (client.data.room) {
        server.publish(client.data.room, message);
      } else {
        client.data.room = message;
        client.subscribe(message);
      }
    },
  },
});
console.log("listening");
