import { SpanKind } from "@opentelemetry/api";
import {
  attribute,
  counter,
  gauge,
  histogram,
  observable,
  span,
  type AttributeConvention,
  type MetricConvention,
  type SpanConvention,
  type Summary,
} from "./internal/convention.ts";

export type { AttributeConvention, MetricConvention, SpanConvention, Summary } from "./internal/convention.ts";

/** The instrumentation scope of every span and metric. The version is package.json's (a test compares them). */
export const SCOPE = { name: "colyseus-otel", version: "0.1.0" } as const;

const { INTERNAL, SERVER, CLIENT } = SpanKind;

export const SPANS = {
  boot: span("gameserver.boot", INTERNAL, "Process start until Ready is seen; without an orchestrator until listening"),
  bootLoad: span("gameserver.boot.load", INTERNAL, "Process start until instrument(): the imports"),
  bootPrepare: span("gameserver.boot.prepare", INTERNAL, "listen() until the bind: beforeListen, database, express"),
  bootListen: span("gameserver.boot.listen", INTERNAL, "Binding the port"),
  bootPhase: span("gameserver.boot.phase", INTERNAL, "A phase of the game's own, by bootPhase()"),
  mapLoad: span("gameserver.map_load", INTERNAL, "The function given to mapLoad()"),
  agonesConnect: span("agones.connect", CLIENT, "First attempt until the sidecar answers"),
  agonesReady: span("agones.ready", CLIENT, "The Ready() call, which only requests it"),
  agonesWaitForReady: span("agones.wait_for_ready", INTERNAL, "Ready() answered until the watch shows Ready or later"),
  allocateServer: span("provision.allocate_server", INTERNAL, "allocate() until an address is known, or none was had"),
  agonesAllocate: span("provision.agones_allocate", CLIENT, "One call of the Agones allocation service"),
  allocated: span("gameserver.allocated", INTERNAL, "Allocation until playable, at most 60 s"),
  matchmake: span("matchmake", SERVER, "Request until seat reservation; INTERNAL under an active HTTP span"),
  roomAuth: span("room.auth", INTERNAL, "The static or instance onAuth"),
  roomCreate: span("room.create", INTERNAL, "onCreate"),
  roomJoin: span("room.join", SERVER, "Socket accepted until the join is confirmed"),
  roomOnJoin: span("room.on_join", INTERNAL, "onJoin"),
  roomOnLeave: span("room.on_leave", INTERNAL, "onLeave"),
  roomOnDispose: span("room.on_dispose", INTERNAL, "onDispose; linked to room.create"),
  sessionStarted: span("session.started", INTERNAL, "The session's light root; ends at once"),
  sessionLifecycle: span("session.lifecycle", INTERNAL, "Login or first join until the end, with the summary"),
  phaseLogin: span("session.phase.login", INTERNAL, "The login, told by the service that startSession() runs in"),
  phaseMatchmaking: span("session.phase.matchmaking", INTERNAL, "A stay in a QueueRoom, or the service's own wait"),
  phaseInGame: span("session.phase.in_game", INTERNAL, "A stay in any other room"),
} as const satisfies Record<string, SpanConvention>;

/** Attribute keys of spans and resources. Ids stand on spans and never on metrics. */
export const ATTRIBUTES = {
  errorType: attribute("error.type", "What went wrong, of a small set; absent on success"),
  gameMap: attribute("game.map", "Name given to mapLoad()"),
  gameMode: attribute("game.mode", "Mode given to mapLoad() or allocate()"),
  bootPhase: attribute("game.boot.phase", "Name given to bootPhase()"),
  region: attribute("region", "Region given to allocate()"),
  requiredPlayers: attribute("required_players", "Players given to allocate(): how many the match has"),
  provider: attribute("provision.provider", "Who was asked for the server: agones"),
  provisionAttempts: attribute("provision.attempts", "Calls until a server was had, or none"),
  provisionTotal: attribute("provision.total_ms", "Milliseconds from the request until the server's address is known"),
  serverAddress: attribute("server.address", "Address of the allocated game server"),
  serverPort: attribute("server.port", "Its first port"),
  room: attribute("colyseus.room.name", "Room type, as defined on the server"),
  roomId: attribute("colyseus.room.id", "Id of the room"),
  processId: attribute("colyseus.process.id", "Colyseus' id of the process"),
  method: attribute("colyseus.matchmake.method", "joinOrCreate, create, join, joinById or reconnect"),
  connectionId: attribute("colyseus.session.id", "Colyseus' sessionId: one player's seat in one room"),
  closeCode: attribute("colyseus.close.code", "WebSocket close code, as Colyseus gave it to onLeave"),
  joinKind: attribute("colyseus.join.kind", "new or reconnect"),
  seatWait: attribute("seat.wait", "Seconds from the reservation of the seat to the socket"),
  sessionId: attribute("session.id", "The player's session; without a token the sessionId of its first join"),
  sessionStart: attribute("session.start_time", "Login or first join, in seconds since 1970"),
  authMethod: attribute("session.auth_method", "Given to startSession()"),
  playerId: attribute("player.id", "Given to startSession()"),
  clientVersion: attribute("client.version", "Given to startSession()"),
  clientPlatform: attribute("client.platform", "Given to startSession()"),
  waitSeconds: attribute("matchmaking.wait_seconds", "Seconds that the player waited for a match"),
  lobbyId: attribute("lobby.id", "The lobby that the player was matched into"),
  sessionDuration: attribute("session.duration_seconds", "Seconds from login or first join to the end"),
  sessionMatches: attribute("session.matches_played", "Confirmed joins of rooms that are no QueueRoom"),
  endReason: attribute("session.end_reason", "client_quit, connection_lost, server_shutdown, join_failed, ..."),
  endType: attribute("session.end_type", "graceful, connection_failure, enforcement, crash or unknown"),
  endPhase: attribute("session.end_phase", "The phase in which the session ended"),
  phaseEndedBy: attribute("phase.ended_by", "leave or disconnect"),
  agonesState: attribute("agones.state", "State that the watch showed, or Agones' answer to an allocation"),
  agonesAttempts: attribute("agones.attempts", "Connection attempts until the sidecar answered"),
  agonesServer: attribute("agones.gameserver.name", "Name of the GameServer (span and resource)"),
  agonesServerName: attribute("agones.server_name", "Name of the GameServer that was allocated"),
  agonesNodeName: attribute("agones.node_name", "Kubernetes node that it runs on"),
  agonesNamespace: attribute("agones.gameserver.namespace", "Its Kubernetes namespace (resource)"),
  agonesFleet: attribute("agones.fleet", "Fleet of the GameServer (resource)"),
  serviceName: attribute("service.name", "OTEL_SERVICE_NAME, else the npm package's name (resource)"),
  serviceVersion: attribute("service.version", "The npm package's version (resource)"),
  serviceInstance: attribute("service.instance.id", "Name of the GameServer, else random (resource)"),
  environment: attribute("deployment.environment.name", "NODE_ENV (resource)"),
  carrier: attribute("colyseus.trace_context.source", "On a link: the carrier that brought the context"),
} as const satisfies Record<string, AttributeConvention>;

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
  provider: "provider",
  direction: "direction",
} as const;

const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BOOT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const STAY = [1, 10, 30, 60, 300, 600, 1200, 1800, 3600, 7200, 14400];
/** A tick at 60, 30 and 20 Hz has 16, 33 and 50 ms. */
const TICK = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.016, 0.025, 0.033, 0.05, 0.1, 0.25, 1];
const { room, phase, outcome, kind, state, source, endReason, endType, errorType, map, region, mode, provider } =
  LABELS;
const { direction } = LABELS;
const PROVISION = [outcome, region, mode, provider];

const SINCE = "since the last collection; instead of the histogram where the SDK is the program's own";

export const METRICS = {
  bootDuration: histogram("gameserver.boot.duration", BOOT, [phase, outcome], "Boot by phase, and total"),
  status: observable("gameserver.status", "1", [state], "1 for the current state, 0 for the others"),
  mapLoadDuration: histogram("gameserver.map_load.duration", BOOT, [map], "Map loads"),
  provisionDuration: histogram("game.provision.duration", BOOT, PROVISION, "allocate() until a server, or giving up"),
  provisionOutcomes: counter("game.provision.outcomes", "{allocation}", PROVISION, "Allocations by how they came out"),
  matchmakeDuration: histogram("colyseus.matchmake.duration", QUICK, [room, errorType], "Matchmaking requests"),
  joins: counter("colyseus.joins", "{join}", [room, kind, outcome], "Joins by how they came out"),
  seatWait: histogram("colyseus.seat.wait.duration", QUICK, [room], "Seat reservation until socket"),
  joinDuration: histogram("colyseus.join.duration", QUICK, [room, errorType], "Socket until the join is confirmed"),
  clientDuration: histogram("colyseus.client.duration", STAY, [room], "How long a connection stayed"),
  rooms: observable("colyseus.rooms", "{room}", [room], "Rooms that exist now"),
  clients: observable("colyseus.clients", "{player}", [room], "Players who are joined now"),
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
  sessionDuration: histogram("game.session.duration", STAY, [endType], "Sessions, login or first join until the end"),
  sessionEnds: counter("game.session.ends", "{session}", [endReason], "Ended sessions"),
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

/** Values of `error.type`. Expected refusals leave the span's status unset. */
export const ERROR_TYPES = {
  noHandler: "no_handler",
  noRoom: "no_room",
  invalidRoom: "invalid_room",
  expired: "expired",
  roomFull: "room_full",
  authFailed: "auth_failed",
  authError: "auth_error",
  refused: "refused",
  hookError: "hook_error",
  clientLeft: "client_left",
  unhandled: "unhandled",
  listenFailed: "listen_failed",
  orchestratorFailed: "orchestrator_failed",
  interrupted: "interrupted",
  allocationFailed: "allocation_failed",
  readyTimeout: "ready_timeout",
  contention: "contention",
  deadline: "deadline",
  aborted: "aborted",
  unallocated: "unallocated",
  unavailable: "unavailable",
  tlsRefused: "tls_refused",
  queueFull: "queue_full",
  rejected: "rejected",
  notEncodable: "not_encodable",
} as const;
