// The same as plain.ts in CommonJS: everything up to listen() runs in one go.
const { Room, Server } = require("@colyseus/core");
const { metrics } = require("@opentelemetry/api");

metrics.getMeter("game").createCounter("game.clicks").add(3);

class Arena extends Room {
  onJoin() {}
}

const server = new Server({ greet: false });
server.define("arena", Arena);
void server.listen(0, "127.0.0.1").then(() => {
  process.send({ type: "app:listening", port: server.transport.server.address().port });
});
