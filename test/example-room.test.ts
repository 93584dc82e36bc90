import { CloseCode, matchMaker } from "@colyseus/core";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { layNetwork } from "../demo/network.ts";
import { loadArenaMap } from "../example-server/arena/tiled-map.ts";
import { arenaMap, server } from "../example-server/game.ts";
import { connectPlayer, type Player, type PlayerOptions } from "../example-server/player.ts";
import { mintTicket } from "../example-server/tickets.ts";

vi.hoisted(() => (process.env.ARENA_RETURN_SECONDS = "1"));
vi.setConfig({ testTimeout: 60_000 });

// Who scores when is the luck of the draw: a wait ends by its predicate, this is only for a server that hangs.
const patient = { timeout: 30_000 };
let url: string;

beforeAll(async () => {
  arenaMap.current = await loadArenaMap("crossfire");
  await server.listen(0, "127.0.0.1");
  const address = server.transport.server?.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  url = `ws://127.0.0.1:${address.port}`;
});
afterAll(() => server.gracefullyShutdown(false));
// The SDK prints each step of a return.
beforeAll(() => void vi.spyOn(console, "info").mockReturnValue());
beforeEach(() => expect.poll(() => matchMaker.query({ name: "arena" }), patient).toEqual([]));

function ticketFor(playerId: string, lifetime = 60_000): string {
  return mintTicket({ playerId, expires: Date.now() + lifetime });
}

async function enter(playerId: string, options: Partial<PlayerOptions> = {}): Promise<Player> {
  const player = await connectPlayer({ url, ticket: ticketFor(playerId), ...options });
  onTestFinished(async () => {
    if (player.room.connection.isOpen) await player.leave();
  });
  return player;
}

test("a player with a ticket walks a second among bots that score, and leaves a score behind", async () => {
  const player = await enter("ada");
  const fighters = player.room.state.fighters;
  expect([...fighters.values()].filter((fighter) => fighter.bot)).toHaveLength(3);
  const self = fighters.get(player.room.sessionId);
  const from = { x: self?.x, y: self?.y };

  const second = await player.play({ seconds: 1 });
  expect(second).toMatchObject({ room: player.room.roomId });
  expect(second.moves).toBeGreaterThan(0);
  expect({ x: self?.x, y: self?.y }).not.toEqual(from);

  await player.play({
    until: ({ score }) => score > 0 && [...fighters.values()].some((fighter) => fighter.bot && fighter.score > 0),
  });
  const { score } = await player.leave();
  await expect.poll(() => matchMaker.presence.hget("arena:matches", "crossfire"), patient).toBe("1");
  expect(Number(await matchMaker.presence.hget("arena:ladder", "ada"))).toBeGreaterThanOrEqual(score);
});

test("players take the places of bots, and bots those of players", async () => {
  const [ada, bob] = [await enter("ada"), await enter("bob")];
  expect(bob.room.roomId).toBe(ada.room.roomId);
  const names = (): readonly string[] =>
    [...ada.room.state.fighters.values()].map(({ name, bot }) => (bot ? "bot" : name)).toSorted();
  await expect.poll(names, patient).toEqual(["ada", "bob", "bot", "bot"]);
  await bob.leave();
  await expect.poll(names, patient).toEqual(["ada", "bot", "bot", "bot"]);
  await ada.leave();
});

test("a bad ticket is refused before there is a room", async () => {
  await expect(connectPlayer({ url, ticket: ticketFor("eve", -1) })).rejects.toMatchObject({
    code: 401,
    message: "ticket expired",
  });
  await expect(connectPlayer({ url, ticket: "" })).rejects.toMatchObject({
    code: 401,
    message: "ticket missing",
  });
  expect(await matchMaker.query({ name: "arena" })).toEqual([]);
});

test("a client that sends nonsense is disconnected, and the others play on", async () => {
  const [ada, eve] = [await enter("ada"), await enter("eve")];
  const closed = new Promise((resolve) => eve.room.onLeave(resolve));
  eve.room.send("move", { dx: "fast" });
  expect(await closed).toBe(4002);
  const { tick } = ada.room.state;
  await expect.poll(() => ada.room.state.tick, patient).toBeGreaterThan(tick);
  await ada.leave();
});

function botsSeenBy({ room }: Player) {
  return [...room.state.fighters.values()].filter(({ bot }) => bot);
}

async function enterByNetwork(playerId: string) {
  const network = await layNetwork(url);
  onTestFinished(network.cut);
  const player = await enter(playerId, { url: network.url });
  player.room.reconnection.minUptime = 0;
  const seenBy = (other: Player) => other.room.state.fighters.get(player.room.sessionId);
  return { player, network, seenBy };
}

test("a player whose network breaks is away, comes back to the same seat, and flies on", async () => {
  const bob = await enter("bob");
  const { player: ann, network, seenBy } = await enterByNetwork("ann");
  const { sessionId } = ann.room;
  const places = new Set<string>();
  bob.room.onStateChange(() => {
    const { away, x, y } = seenBy(bob) ?? {};
    if (away) places.add(`${x} ${y}`);
  });
  await expect.poll(() => seenBy(bob), patient).toBeDefined();
  const [x, y] = [seenBy(bob)!.x, seenBy(bob)!.y];
  await ann.play({ until: () => seenBy(bob)!.x !== x || seenBy(bob)!.y !== y });
  const back = new Promise<void>((resolve) => ann.room.onReconnect.once(() => resolve()));
  network.interrupt();
  await expect.poll(() => seenBy(bob)?.away, patient).toBe(true);
  await back;
  await expect.poll(() => seenBy(bob)?.away, patient).toBe(false);
  expect(ann.room.sessionId).toBe(sessionId);
  expect(places.size).toBe(1);
  // Who was away stood still: the heading is sent again at the first tick, also where it is the old one.
  const { moves } = ann.report();
  let flies: boolean | undefined;
  await ann.play({
    until: (report) => {
      if (seenBy(ann)!.health > 0) flies = report.moves > moves;
      return flies !== undefined;
    },
  });
  expect(flies).toBe(true);
  await ann.leave();
  await bob.leave();
});

test("the seat of a player who does not come back is held for a while, and then is a bot's", async () => {
  const bob = await enter("bob");
  const { network, player: ned, seenBy } = await enterByNetwork("ned");
  ned.room.reconnection.maxRetries = 1;
  const code = new Promise((resolve) => ned.room.onLeave(resolve));
  network.cut();
  await expect.poll(() => seenBy(bob)?.away, patient).toBe(true);
  expect(await code).toBe(CloseCode.FAILED_TO_RECONNECT);
  await expect.poll(() => seenBy(bob), patient).toBeUndefined();
  await expect.poll(() => botsSeenBy(bob), patient).toHaveLength(3);
  await bob.leave();
});

test("a player who asks for more speed than there is, is thrown out at once, and has no seat to come back to", async () => {
  const [bob, kim] = [await enter("bob"), await enter("kim")];
  const seen = () => bob.room.state.fighters.get(kim.room.sessionId);
  await expect.poll(seen, patient).toBeDefined();
  const away: unknown[] = [];
  bob.room.onStateChange(() => void away.push(seen()?.away));
  const code = new Promise((resolve) => kim.room.onLeave(resolve));
  kim.room.send("move", { dx: 9, dy: 0 });
  expect(await code).toBe(4100);
  await expect.poll(seen, patient).toBeUndefined();
  expect(away).not.toContain(true);
  await bob.leave();
});

test("a fifth player is refused by the room of four, and without a room's id gets another one", async () => {
  const four = [await enter("ada"), await enter("bob"), await enter("cat"), await enter("dan")];
  const { roomId } = four[0]!.room;
  expect(new Set(four.map(({ room }) => room.roomId))).toEqual(new Set([roomId]));
  await expect.poll(() => botsSeenBy(four[0]!), patient).toEqual([]);
  await expect(enter("eli", { room: roomId })).rejects.toThrow(`room "${roomId}" is locked`);
  const eli = await enter("eli");
  expect(eli.room.roomId).not.toBe(roomId);
  for (const player of [...four, eli]) await player.leave();
});
