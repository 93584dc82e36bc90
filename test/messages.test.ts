import { Room, type Client } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { WebSocketClient } from "@colyseus/ws-transport";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { drop, roomOf, startServer, until, type TestServer } from "./_server.ts";

interface Flow {
  messages: number;
  bytes: number;
}

/** What the sockets say: counted below Colyseus, from the player's first frame on. */
const wire = { received: { messages: 0, bytes: 0 }, sent: { messages: 0, bytes: 0 } };

class Arena extends Room {
  override patchRate = null;
  override maxMessagesPerSecond = Infinity;
  override onAuth(client: Client) {
    tap(client);
    return true;
  }
  override onCreate() {
    this.onMessage("shout", (_client, text: string) => this.broadcast("heard", text));
    this.onMessage("whisper", (client, text: string) => client.send("heard", text));
    this.onMessageBytes("bytes", (client, bytes: Uint8Array) => client.sendBytes("bytes", bytes));
  }
  override onDrop(client: Client) {
    this.allowReconnection(client, 10).catch(() => {});
  }
  override onReconnect(client: Client) {
    tap(client);
  }
}

function tap({ ref }: Client): void {
  const { send } = ref as unknown as { send(data: Uint8Array, ...rest: unknown[]): void };
  Object.assign(ref, {
    send(data: Uint8Array, ...rest: unknown[]) {
      add(wire.sent, data);
      return send.call(ref, data, ...rest);
    },
  });
  ref.on("message", (data: Uint8Array) => add(wire.received, data));
}

function add(flow: Flow, { byteLength }: Uint8Array): void {
  flow.messages += 1;
  flow.bytes += byteLength;
}

async function counted({ recorded }: TestServer, room = "arena"): Promise<typeof wire> {
  const [messages, bytes] = await Promise.all(
    ["colyseus.messages", "colyseus.network.io"].map((name) => recorded.points(name)),
  );
  const flow = (direction: string): Flow => {
    const key = `direction=${direction} room=${room}`;
    return { messages: messages![key] as number, bytes: bytes![key] as number };
  };
  return { received: flow("received"), sent: flow("sent") };
}

function reset(): void {
  for (const flow of Object.values(wire)) {
    Object.assign(flow, { messages: 0, bytes: 0 });
  }
}

async function join(game: TestServer): Promise<ClientRoom> {
  const room = await game.client().joinOrCreate("arena");
  room.onMessage("*", () => {});
  return room;
}

test("counts every message and byte that a socket saw, each way, for any messages", async () => {
  reset();
  await using game = await startServer({ arena: Arena }, { messages: true });
  const players = [await join(game), await join(game)];
  await until("the handshakes", () => wire.received.messages === 2);
  const message = fc.record({
    kind: fc.constantFrom("shout" as const, "whisper" as const, "bytes" as const),
    by: fc.nat(1),
    size: fc.nat(3000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (messages) => {
      const before = wire.received.messages;
      for (const { kind, by, size } of messages) {
        if (kind === "bytes") {
          players[by]!.sendBytes(kind, new Uint8Array(size));
        } else {
          players[by]!.send(kind, "x".repeat(size));
        }
      }
      await until("their arrival", () => wire.received.messages >= before + messages.length);
      expect(await counted(game)).toEqual(wire);
    }),
    { numRuns: 30 },
  );
  expect(wire.sent.messages).toBeGreaterThan(100);
});

test("a broadcast counts once for each player who gets it, and so do its bytes", async () => {
  reset();
  await using game = await startServer({ arena: Arena }, { messages: true });
  const [room] = [await join(game), await join(game), await join(game)];
  await until("the handshakes", () => wire.received.messages === 3);
  const before = (await counted(game)).sent;
  roomOf(room.roomId).broadcastBytes("bytes", new Uint8Array(100), {});
  const after = (await counted(game)).sent;
  expect(after.messages - before.messages).toBe(3);
  expect(after.bytes - before.bytes).toBeGreaterThanOrEqual(300);
  expect(await counted(game)).toEqual(wire);
});

test("goes on for a player who comes back with a new socket", async () => {
  reset();
  await using game = await startServer({ arena: Arena }, { messages: true });
  const room = await join(game);
  room.reconnection.minUptime = 0;
  let back = false;
  room.onReconnect(() => (back = true));
  await drop(room);
  await until("the return", () => back);
  let heard = "";
  room.onMessage("heard", (text: string) => (heard = text));
  room.send("whisper", "still here");
  await until("the answer", () => heard === "still here");
  await until("the counts of the wire", async () => isDeepStrictEqual(await counted(game), wire));
});

test("rooms of two types are counted apart", async () => {
  reset();
  await using game = await startServer({ arena: Arena, lobby: class Lobby extends Room {} }, { messages: true });
  await join(game);
  await game.client().joinOrCreate("lobby");
  await until("the handshake", () => wire.received.messages === 1);
  expect(await counted(game)).toEqual(wire);
  expect((await counted(game, "lobby")).sent.messages).toBeGreaterThan(0);
});

/** Every function that a message passes. */
function passed(): unknown[] {
  const { _onMessage, broadcast, broadcastBytes } = Room.prototype as unknown as { [key: string]: unknown };
  const { raw, enqueueRaw, send, sendBytes, error } = WebSocketClient.prototype;
  return [_onMessage, broadcast, broadcastBytes, raw, enqueueRaw, send, sendBytes, error];
}

test("off is absence: without the option every function is the very same, and there is no series", async () => {
  const before = passed();
  await using game = await startServer({ arena: Arena });
  const room = await join(game);
  expect(same(passed(), before)).toBe(true);
  expect(Object.hasOwn(roomOf(room.roomId).clients[0]!, "raw")).toBe(false);
  const names = await game.recorded.metricNames();
  expect(names.filter((name) => /messages|network/.test(name))).toEqual([]);
});

test("with the option two functions are ours, and shutdown() puts the very same ones back", async () => {
  const before = passed();
  await using game = await startServer({ arena: Arena }, { messages: true });
  await join(game);
  expect(passed().filter((one, at) => one !== before[at])).toHaveLength(2);
  await game.telemetry.shutdown();
  expect(same(passed(), before)).toBe(true);
});

test("a value that is neither true nor false is a TypeError", async () => {
  await expect(startServer({ arena: Arena }, { messages: "yes" as never })).rejects.toThrow(
    new TypeError('messages must be true or false, got "yes"'),
  );
});

function same(some: unknown[], others: unknown[]): boolean {
  return some.every((one, at) => one === others[at]);
}
