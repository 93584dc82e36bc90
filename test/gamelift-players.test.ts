import { matchMaker, Room, type Client } from "@colyseus/core";
import { afterEach, expect, test, vi } from "vitest";
import { startFleet, type Fleet, type FleetOptions } from "./_gamelift.ts";
import { drop, dropAndReturn, until } from "./_server.ts";

class Arena extends Room {
  override onDrop(client: Client) {
    void this.allowReconnection(client, 20);
  }
}

const playerSessionOf = (_client: Client, options: unknown) => (options as { seat?: string }).seat;

async function playing(fleet: FleetOptions = {}, room: typeof Arena = Arena): Promise<Fleet & { readonly id: string }> {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const started = await startFleet(room, { ...fleet, options: { playerSessionOf, ...fleet.options } });
  await started.game.telemetry.ready;
  const id = started.service.createGameSession();
  await started.service.waitFor("the game session", () => started.service.gameSessions.get(id)?.status === "ACTIVE");
  return Object.assign(started, { id });
}

const accepted = ({ game }: Fleet, count = 1) =>
  until("the accepted player", () => game.recorded.named("gamelift.accept_player_session").length === count);

afterEach(() => vi.restoreAllMocks());

test("a player who drops and returns keeps the player session; one who does not come back gives it up", async () => {
  await using fleet = await playing();
  const { service, game, id } = fleet;
  const seats = [service.createPlayerSession(id), service.createPlayerSession(id)];
  const [ann, ben] = await Promise.all(seats.map((seat) => game.client().joinOrCreate("arena", { seat })));
  await accepted(fleet, 2);
  await dropAndReturn(ann!);
  ben!.reconnection.enabled = false;
  await drop(ben!);
  await until("the held seat", () => game.recorded.named("room.on_drop arena").length === 2);
  const status = () => seats.map((seat) => service.playerSessions.get(seat)!.Status);
  expect([status(), service.calls["RemovePlayerSession"]]).toEqual([["ACTIVE", "ACTIVE"], undefined]);
  await ann!.leave();
  await service.waitFor("ann to be removed", () => status()[0] === "COMPLETED");
  await matchMaker.getLocalRoomById(ben!.roomId).disconnect();
  await service.waitFor("ben to be removed", () => status()[1] === "COMPLETED");
  expect(service.calls).toMatchObject({ AcceptPlayerSession: 2, RemovePlayerSession: 2 });
});

test("players without a player session, and games that do not ask for one, cost no call", async () => {
  await using fleet = await playing();
  const room = await fleet.game.client().joinOrCreate("arena");
  await room.leave();
  await until("the end", () => fleet.game.recorded.named("session.lifecycle").length === 1);
  expect(fleet.service.calls["AcceptPlayerSession"]).toBeUndefined();
});

test("without playerSessionOf nothing listens to the players for GameLift", async () => {
  const listeners = async (options: FleetOptions["options"]) => {
    await using _fleet = await startFleet(Arena, { options: options! });
    return ["join", "leave"].map((event) => matchMaker.getHandler("arena").listenerCount(event));
  };
  const without = await listeners({});
  expect(await listeners({ playerSessionOf })).toEqual(without.map((count) => count + 1));
});

test.each([
  ["answered by an error, and then at once", [{ status: 500 }], 2],
  ["cut before it is heard", ["cut"], 2],
  ["carried out, and its answer cut off: the second is refused, and the player is accepted", ["cut_after"], 2],
  ["carried out, and never answered: likewise", ["silence"], 2],
] as const)("AcceptPlayerSession is %s", async (_what, faults, calls) => {
  await using fleet = await playing({ timings: { call: 300 } });
  const { service, game, id } = fleet;
  service.fault("AcceptPlayerSession", ...faults);
  const seat = service.createPlayerSession(id);
  const room = await game.client().joinOrCreate("arena", { seat });
  await accepted(fleet);
  expect(service.playerSessions.get(seat)?.Status).toBe("ACTIVE");
  expect(service.calls["AcceptPlayerSession"]).toBe(calls);
  expect(game.recorded.one("gamelift.accept_player_session").attributes).not.toHaveProperty("error.type");
  await room.leave();
  await service.waitFor("the player to be removed", () => service.playerSessions.get(seat)?.Status === "COMPLETED");
});

test("a player of whom GameLift does not know plays on, and is told as refused", async () => {
  await using fleet = await playing();
  const room = await fleet.game.client().joinOrCreate("arena", { seat: "psess-of-yesterday" });
  await accepted(fleet);
  const span = fleet.game.recorded.one("gamelift.accept_player_session");
  expect(span.attributes).toMatchObject({
    "error.type": "refused",
    "gamelift.player_session_id": "psess-of-yesterday",
  });
  expect(span.status.code).toBe(0);
  expect(room.connection.isOpen).toBe(true);
  await room.leave();
});

test("who leaves before the answer is removed after it: never the other way round", async () => {
  await using fleet = await playing();
  const { service, game, id } = fleet;
  const answer = Promise.withResolvers<void>();
  service.fault("AcceptPlayerSession", { after: answer.promise });
  const seat = service.createPlayerSession(id);
  const room = await game.client().joinOrCreate("arena", { seat });
  await service.waitFor("the call", () => service.calls["AcceptPlayerSession"] === 1);
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(service.calls["RemovePlayerSession"]).toBeUndefined();
  answer.resolve();
  await service.waitFor("the player to be removed", () => service.playerSessions.get(seat)?.Status === "COMPLETED");
});

test("a player who goes from one room to the next keeps the seat, which is given up with the last", async () => {
  await using fleet = await playing();
  const { service, game, id } = fleet;
  const seat = service.createPlayerSession(id);
  const lobby = await game.client().create("arena", { seat });
  await accepted(fleet);
  const match = await game.client().create("arena", { seat });
  await lobby.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  await fleet.gamelift.updatePlayerSessionCreationPolicy("ACCEPT_ALL");
  expect(service.calls).toMatchObject({ AcceptPlayerSession: 1 });
  expect(service.calls["RemovePlayerSession"]).toBeUndefined();
  await match.leave();
  await service.waitFor("the player to be removed", () => service.playerSessions.get(seat)?.Status === "COMPLETED");
});

test("a playerSessionOf that throws is reported, and the join goes on", async () => {
  const broken = () => {
    throw new Error("no seat in the ticket");
  };
  await using fleet = await playing({ options: { playerSessionOf: broken } });
  const room = await fleet.game.client().joinOrCreate("arena");
  await room.leave();
  expect(vi.mocked(console.warn).mock.calls.flat().join()).toContain("no seat in the ticket");
  expect(fleet.service.calls["AcceptPlayerSession"]).toBeUndefined();
});

test("PlayerData is read only where it is wanted", async () => {
  await using fleet = await playing({ options: { readPlayerData: false } });
  const room = await fleet.game.client().joinOrCreate("arena", { seat: fleet.service.createPlayerSession(fleet.id) });
  await accepted(fleet);
  expect(fleet.service.calls["DescribePlayerSessions"]).toBeUndefined();
  expect(fleet.game.recorded.one("gamelift.accept_player_session").links).toEqual([]);
  await room.leave();
});

test("the game's own calls: what the service says comes back", async () => {
  await using fleet = await playing();
  const { service, gamelift, id } = fleet;
  const seat = service.createPlayerSession(id, "blue team");
  await gamelift.acceptPlayerSession(seat);
  expect(await gamelift.describePlayerSessions({ PlayerSessionId: seat })).toMatchObject({
    PlayerSessions: [{ PlayerSessionId: seat, PlayerData: "blue team", Status: "ACTIVE" }],
  });
  await gamelift.removePlayerSession(seat);
  await expect(gamelift.removePlayerSession(seat)).rejects.toMatchObject({ failure: "refused", status: 400 });
  await gamelift.updatePlayerSessionCreationPolicy("DENY_ALL");
  expect(service.gameSessions.get(id)?.creation).toBe("DENY_ALL");
  const match = { GameSessionArn: id, MatchmakingConfigurationArn: "arn:aws:gamelift:r:1:matchmakingconfiguration/m" };
  const { TicketId } = await gamelift.startMatchBackfill({ ...match, TicketId: "t-7", Players: [{ PlayerId: "ann" }] });
  expect(TicketId).toBe("t-7");
  await gamelift.stopMatchBackfill({ ...match, TicketId });
  expect(await gamelift.getComputeCertificate()).toMatchObject({ ComputeName: "host-1" });
  const role = { RoleArn: "arn:aws:iam::1:role/r", RoleSessionName: "server" };
  expect(await gamelift.getFleetRoleCredentials(role)).toMatchObject({ AccessKeyId: "AK" });
});
