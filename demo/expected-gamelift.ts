import type { Cast } from "./expected.ts";
import { CREATE, DISPOSAL, IN_AND_OUT, JOIN, SESSION } from "./expected-parts.ts";
import { allocation, BOOT_ALONE, duringRequest, request } from "./expected-server.ts";
import { SERVICES, type ExpectedSpan } from "./expected-span.ts";

const { game, matchmaker } = SERVICES;
const CALL = { name: "provision.gamelift_create_session", server: "gamelift.session_id" };

const BOOT: readonly ExpectedSpan[] = [
  ...BOOT_ALONE,
  { name: "gamelift.connect", service: game, parent: "gameserver.boot" },
  { name: "gamelift.process_ready", service: game, parent: "gameserver.boot" },
];

const WAIT_ACTIVE: ExpectedSpan = {
  name: "provision.gamelift_wait_active",
  service: matchmaker,
  parent: "provision.allocate_server",
  attributes: ["provision.poll_count", "provision.wait_ms"],
  values: { "gamelift.final_status": "ACTIVE" },
};

const ACTIVATE: ExpectedSpan = {
  name: "gamelift.activate_game_session",
  service: game,
  parent: "gameserver.allocated",
  values: { "error.type": null },
};

/** The link is to what was in PlayerData. */
const ACCEPT: ExpectedSpan = {
  name: "gamelift.accept_player_session",
  service: game,
  parent: "room.join arena",
  link: "session.started",
  attributes: ["gamelift.player_session_id"],
  values: { "error.type": null },
};

function placement(start: "warm" | "cold"): readonly ExpectedSpan[] {
  return [WAIT_ACTIVE, ...allocation(start, CALL), ACTIVATE];
}

const OWN_MATCH = [...JOIN, ACCEPT, CREATE, ...IN_AND_OUT, DISPOSAL];

/** One game session for both. */
export const GAMELIFT_CAST: Cast = [
  { player: "ann", story: [...BOOT, ...SESSION, ...request("warm", CALL), ...placement("warm"), ...OWN_MATCH] },
  { player: "bob", story: [...SESSION, ...JOIN, ACCEPT, ...IN_AND_OUT] },
];

/** No server process is there when ann comes. */
export const GAMELIFT_COLD_CAST: Cast = [
  {
    player: "ann",
    story: [...SESSION, ...request("cold", CALL), ...duringRequest(BOOT), ...placement("cold"), ...OWN_MATCH],
  },
];
