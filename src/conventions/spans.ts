import { SpanKind } from "@opentelemetry/api";
import { span, type SpanConvention } from "../internal/convention.ts";

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
  gameliftConnect: span("gamelift.connect", CLIENT, "First attempt until the WebSocket is open"),
  gameliftReady: span("gamelift.process_ready", CLIENT, "ActivateServerProcess until it is answered"),
  gameliftActivate: span(
    "gamelift.activate_game_session",
    CLIENT,
    "ActivateGameSession until it is answered, or given up",
  ),
  gameliftAccept: span(
    "gamelift.accept_player_session",
    CLIENT,
    "Join confirmed until GameLift has accepted the player, or not; linked to the context in PlayerData",
  ),
  allocateServer: span("provision.allocate_server", INTERNAL, "allocate() until an address is known, or none was had"),
  agonesAllocate: span(
    "provision.agones_allocate",
    CLIENT,
    "One call of the Agones allocation service, or of the Kubernetes API",
  ),
  provisionWait: span(
    "provision.wait_for_ready",
    INTERNAL,
    "The first answer that no server is Ready until one is had, or given up",
  ),
  gameliftCreateSession: span(
    "provision.gamelift_create_session",
    CLIENT,
    "One call that starts a GameLift game session, or its placement by a queue",
  ),
  gameliftWaitActive: span(
    "provision.gamelift_wait_active",
    INTERNAL,
    "That call's answer until the game session is active, or is given up",
  ),
  allocated: span("gameserver.allocated", INTERNAL, "Allocation until playable, at most 60 s"),
  matchmake: span("matchmake", SERVER, "Request until seat reservation; INTERNAL under an active HTTP span"),
  roomAuth: span("room.auth", INTERNAL, "The static or instance onAuth"),
  roomCreate: span("room.create", INTERNAL, "onCreate"),
  roomJoin: span("room.join", SERVER, "Socket accepted until the join is confirmed"),
  roomOnJoin: span("room.on_join", INTERNAL, "onJoin"),
  roomOnDrop: span("room.on_drop", INTERNAL, "onDrop; linked to room.join"),
  roomOnReconnect: span("room.on_reconnect", INTERNAL, "onReconnect; linked to room.join"),
  roomOnLeave: span("room.on_leave", INTERNAL, "onLeave; linked to room.join"),
  roomOnDispose: span("room.on_dispose", INTERNAL, "onDispose; linked to room.create"),
  sessionStarted: span("session.started", INTERNAL, "The session's light root; ends at once"),
  sessionLifecycle: span("session.lifecycle", INTERNAL, "Login or first join until the end, with the summary"),
  phaseLogin: span("session.phase.login", INTERNAL, "The login, told by the service that startSession() runs in"),
  phaseMatchmaking: span("session.phase.matchmaking", INTERNAL, "A stay in a QueueRoom, or the service's own wait"),
  phaseLoading: span("session.phase.loading", INTERNAL, "A load that the game names, by sessionOf().phase()"),
  phaseInGame: span("session.phase.in_game", INTERNAL, "A stay in any other room"),
  phaseReconnecting: span(
    "session.phase.reconnecting",
    INTERNAL,
    "Disconnect until the return, while the seat is held",
  ),
} as const satisfies Record<string, SpanConvention>;
