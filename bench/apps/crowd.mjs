// Players without sockets: Colyseus' own matchmaking, client class and hooks, with an object where the socket would be.
import { createAuthContext, matchMaker } from "@colyseus/core";
import { WebSocketClient } from "@colyseus/ws-transport";
import { EventEmitter } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** What the SDK sends after the join was confirmed, and to leave by its own will (Protocol.JOIN_ROOM, LEAVE_ROOM). */
const [JOINED, LEAVE] = [Buffer.from([10]), Buffer.from([12])];
/** A thousand a second: the standard batch processor drops spans that come much faster. */
const PER_SECOND = 1000;
const BURST = 16;

/** Headers of the official SDK in Node, as the matchmaking route gets them. */
const HEADERS = {
  host: "127.0.0.1:2567",
  accept: "application/json",
  "content-type": "application/json",
  "accept-language": "*",
  "sec-fetch-mode": "cors",
  "user-agent": "node",
  "accept-encoding": "gzip, deflate",
};

const present = [];
const roomIds = [];

/** Each player joins and leaves at once; `concurrency` players at a time. */
export async function joinAndLeave({ joins, concurrency = 1, method = "joinOrCreate", perSecond }) {
  const paced = pace(perSecond);
  let begun = 0;
  const player = async () => {
    while (begun < joins) {
      begun += 1;
      await leave(await join(method, begun));
      await paced();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, player));
}

/** So many rooms, for joins by id. */
export async function openRooms({ rooms, options }) {
  while (roomIds.length < rooms) {
    roomIds.push((await matchMaker.createRoom("arena", { ...options })).roomId);
  }
}

/** So many players who stay. */
export async function fill({ players, perSecond }) {
  const paced = pace(perSecond);
  while (present.length < players) {
    present.push(await join(roomIds.length > 0 ? "joinById" : "joinOrCreate", present.length));
    await paced();
  }
}

/** All leave. */
export async function empty({ perSecond }) {
  const paced = pace(perSecond);
  for (const client of present.splice(0)) {
    await leave(client);
    await paced();
  }
}

/** The room of the first player ends with all who are in it, as at a shutdown. */
export async function closeRoom() {
  await present.splice(0)[0].room.disconnect(4001);
}

/** Bursts, at most one in their time: what is late is not caught up with. */
function pace(perSecond = PER_SECOND) {
  let [done, start] = [0, performance.now()];
  return async () => {
    done += 1;
    if (done % BURST !== 0) return;
    await wait(Math.max(0, start + (BURST * 1000) / perSecond - performance.now()));
    start = performance.now();
  };
}

async function join(method, index) {
  const context = createAuthContext({ headers: new Headers(HEADERS) });
  const where = method === "joinById" ? roomIds[index % roomIds.length] : "arena";
  const seat = await matchMaker.controller.invokeMethod(method, where, { name: "player" }, context);
  const room = matchMaker.getLocalRoomById(seat.roomId);
  const client = new WebSocketClient(seat.sessionId, new Socket());
  await room._onJoin(client, createAuthContext({ headers: new Headers(HEADERS) }), {});
  client.ref.emit("message", JOINED);
  client.room = room;
  return client;
}

function leave({ ref }) {
  return new Promise((left) => {
    ref.left = left;
    ref.emit("message", LEAVE);
  });
}

class Socket extends EventEmitter {
  readyState = 1;

  send(_data, _options, done) {
    done?.();
  }

  close(code) {
    this.readyState = 3;
    this.emit("close", code);
    this.left?.();
  }
}
