import { counter, gauge, histogram, observable, type MetricConvention, type Summary } from "../internal/convention.ts";
import { ATTRIBUTES } from "./attributes.ts";

/** Metric labels: short words, bounded values. */
export const LABELS = {
  room: "room",
  phase: "phase",
  outcome: "outcome",
  kind: "kind",
  state: "state",
  source: "source",
  endReason: "end_reason",
  endType: "end_type",
  errorType: ATTRIBUTES.errorType.key,
  map: ATTRIBUTES.gameMap.key,
  region: ATTRIBUTES.region.key,
  mode: ATTRIBUTES.gameMode.key,
  start: ATTRIBUTES.gameserverStart.key,
  provider: "provider",
  direction: "direction",
  platform: ATTRIBUTES.clientPlatform.key,
  version: ATTRIBUTES.clientVersion.key,
  locale: ATTRIBUTES.clientLocale.key,
} as const;

const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BOOT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const STAY = [1, 10, 30, 60, 300, 600, 1200, 1800, 3600, 7200, 14400];
const MATCHES = [0, 1, 2, 3, 5, 10, 20, 50];
const GAP = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
/** A tick at 60, 30 and 20 Hz has 16, 33 and 50 ms. */
const TICK = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.016, 0.025, 0.033, 0.05, 0.1, 0.25, 1];
const { room, phase, outcome, kind, state, source, endReason, endType, errorType, map, region, mode, provider } =
  LABELS;
const { direction, platform, version, locale, start } = LABELS;
const PROVISION = [outcome, region, mode, provider, start];

const SINCE = "since the last collection; instead of the histogram where the SDK is the program's own";

export const METRICS = {
  bootDuration: histogram("gameserver.boot.duration", BOOT, [phase, outcome], "Boot by phase, and total"),
  status: observable("gameserver.status", "1", [state], "1 for the current state, 0 for the others"),
  readiness: observable("gameserver.readiness", "1", [], "What /readyz says: 1 for 200, 0 for 503"),
  readyToAllocated: histogram(
    "gameserver.ready_to_allocated.duration",
    STAY,
    [start],
    "Ready until the allocation: how long the server was in the pool",
  ),
  allocatedToPlayable: histogram(
    "gameserver.allocated_to_playable.duration",
    BOOT,
    [start],
    "Allocation until playable, where it came within 60 s",
  ),
  allocatedToFirstJoin: histogram(
    "gameserver.allocated_to_first_join.duration",
    BOOT,
    [start],
    "Allocation until its first confirmed join",
  ),
  orchestratorFaults: counter(
    "gameserver.orchestrator.faults",
    "{fault}",
    [kind],
    "GameLift's messages, calls and connections that were no good",
  ),
  mapLoadDuration: histogram("gameserver.map_load.duration", BOOT, [map], "Map loads"),
  provisionDuration: histogram("game.provision.duration", BOOT, PROVISION, "allocate() until a server, or giving up"),
  provisionOutcomes: counter("game.provision.outcomes", "{allocation}", PROVISION, "Allocations by how they came out"),
  matchmakeDuration: histogram("colyseus.matchmake.duration", QUICK, [room, errorType], "Matchmaking requests"),
  joins: counter("colyseus.joins", "{join}", [room, kind, outcome], "Joins by how they came out"),
  seatReservations: counter(
    "colyseus.seat.reservations",
    "{seat}",
    [room, outcome],
    "Seats that were asked for, by how they came out",
  ),
  seatWait: histogram("colyseus.seat.wait.duration", QUICK, [room], "Seat reservation until socket"),
  joinDuration: histogram("colyseus.join.duration", QUICK, [room, errorType], "Socket until the join is confirmed"),
  clientDuration: histogram(
    "colyseus.client.duration",
    STAY,
    [room],
    "Socket until disconnect, of confirmed joins and returns",
  ),
  rooms: observable("colyseus.rooms", "{room}", [room], "Rooms that exist now"),
  clients: observable("colyseus.clients", "{player}", [room], "Players who are joined and connected now"),
  drops: counter("colyseus.drops", "{drop}", [room, outcome], "Connections that broke off: seat held, or lost"),
  reconnects: counter("colyseus.reconnects", "{seat}", [room, outcome], "Held seats by how they came out"),
  reconnectGap: histogram("colyseus.reconnect.gap", GAP, [room], "Disconnect until the socket of the return"),
  tickDuration: histogram("colyseus.tick.duration", TICK, [room], "Game loop: each call of the game's own function"),
  tickP50: gauge("colyseus.tick.duration.p50", "s", [room], `Median tick ${SINCE}`),
  tickP99: gauge("colyseus.tick.duration.p99", "s", [room], `99 of 100 ticks took no longer, ${SINCE}`),
  tickMax: gauge("colyseus.tick.duration.max", "s", [room], `Longest tick ${SINCE}`),
  patchDuration: histogram("colyseus.patch.duration", TICK, [room], "broadcastPatch: encoding and sending the state"),
  patchP50: gauge("colyseus.patch.duration.p50", "s", [room], `Median patch ${SINCE}`),
  patchP99: gauge("colyseus.patch.duration.p99", "s", [room], `99 of 100 patches took no longer, ${SINCE}`),
  patchMax: gauge("colyseus.patch.duration.max", "s", [room], `Longest patch ${SINCE}`),
  messages: counter("colyseus.messages", "{message}", [direction, room], "Messages of rooms; with `messages: true`"),
  networkIo: counter("colyseus.network.io", "By", [direction, room], "Bytes of these, without the framing"),
  roomLifetime: histogram("colyseus.room.lifetime", STAY, [room], "Creation until disposal of rooms"),
  sessions: observable("game.sessions", "{session}", [phase], "Open sessions by phase"),
  sessionDuration: histogram(
    "game.session.duration",
    STAY,
    [endType, platform, version],
    "Sessions, login or first join until the end",
  ),
  sessionMatches: histogram("game.session.matches", MATCHES, [endType], "Matches of a session", "{match}"),
  sessionEnds: counter("game.session.ends", "{session}", [endReason, locale], "Ended sessions"),
  phaseDuration: histogram("game.session.phase.duration", STAY, [phase], "Time spent in a phase"),
  spansProcessed: counter(
    "otel.sdk.processor.span.processed",
    "{span}",
    [errorType],
    "Spans that were sent, and by error.type those that were lost; of colyseus-otel/sdk",
  ),
  spansQueued: observable("otel.sdk.processor.span.queue.size", "{span}", [], "Spans that wait to be sent; likewise"),
  traceContext: counter("colyseus.trace_context", "{context}", [source, outcome], "Contexts and tokens that came in"),
} as const satisfies Record<string, MetricConvention>;

/** Read from own state at collection: ours shows the histogram, an SDK of the program's own three gauges. */
export const SUMMARIES: ReadonlyMap<MetricConvention, Summary> = new Map([
  [METRICS.tickDuration, { p50: METRICS.tickP50, p99: METRICS.tickP99, max: METRICS.tickMax }],
  [METRICS.patchDuration, { p50: METRICS.patchP50, p99: METRICS.patchP99, max: METRICS.patchMax }],
]);
