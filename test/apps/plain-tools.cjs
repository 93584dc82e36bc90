// A game server as @colyseus/tools has it: a config and listen(app).
const { Room } = require("@colyseus/core");
const { default: config, listen } = require("@colyseus/tools");

class Arena extends Room {
  onJoin() {}
}

const app = config({
  displayLogs: false,
  options: { greet: false },
  initializeGameServer: (server) => server.define("arena", Arena),
});
void listen(app, 0).then((server) => {
  process.send({ type: "app:listening", port: server.transport.server.address().port });
});
