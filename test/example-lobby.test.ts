import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { defineRoom, defineServer, matchMaker } from "@colyseus/core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { LobbyRoom } from "../example-server/lobby/lobby-room.ts";
import type { MatchRequest } from "../example-server/lobby/matchmaker.ts";
import { visitLobby } from "../example-server/lobby/visit.ts";
import { mintTicket } from "../example-server/tickets.ts";

const ARENA = { name: "arena-1", url: "ws://arena:7001" };
const server = defineServer({ rooms: { lobby: defineRoom(LobbyRoom) }, greet: false });
const asked: MatchRequest[] = [];
let answer: { readonly status: number; readonly body: object };
let url: string;

const matchmaker = createServer(async (request, response) => {
  asked.push((await json(request)) as MatchRequest);
  response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
});

beforeAll(async () => {
  matchmaker.listen(0, "127.0.0.1");
  await once(matchmaker, "listening");
  process.env.LOBBY_MATCHMAKER = `http://127.0.0.1:${(matchmaker.address() as AddressInfo).port}`;
  await server.listen(0, "127.0.0.1");
  url = `ws://127.0.0.1:${(server.transport.server!.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200, body: { server: ARENA } };
});
afterAll(async () => {
  await server.gracefullyShutdown(false);
  matchmaker.close();
});

function visit(ticket = mintTicket({ playerId: "ada", expires: Date.now() + 60_000 })) {
  return { ticket, found: visitLobby({ url, ticket, session: {} }) };
}

test("a visitor is sent to the arena that the matchmaker names, asked with the visitor's own ticket", async () => {
  const { ticket, found } = visit();
  expect(await found).toEqual({ server: ARENA, session: {} });
  expect(asked).toEqual([{ ticket, session: {} }]);
});

test("all visitors meet in one lobby, which outlives them", async () => {
  await visit().found;
  await visit().found;
  const lobbies = () => matchMaker.query({ name: "lobby" });
  await expect.poll(lobbies).toEqual([expect.objectContaining({ clients: 0 })]);
});

test("a matchmaker without a server is told to the visitor in its own words", async () => {
  answer = { status: 503, body: { error: "no server after one call" } };
  await expect(visit().found).rejects.toThrow("no match: 503, no server after one call");
});

test("a bad ticket is refused, and nobody is asked", async () => {
  await expect(visit("forged.ticket").found).rejects.toMatchObject({ code: 401, message: "ticket signature is wrong" });
  expect(asked).toEqual([]);
});
