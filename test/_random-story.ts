import { Room, type Client, type Deferred } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import fc from "fast-check";
import { sessionOf } from "colyseus-otel";
import { now } from "../src/internal/clock.ts";
import { drop, roomOf, until } from "./_server.ts";
import type { SimulatedServer } from "./_simulated.ts";
import { pass } from "./_simulated-clock.ts";

interface Stay {
  readonly from: number;
  until: number;
  phase: Phase | undefined;
}

type Home = "lobby" | "arena";
type Phase = "matchmaking" | "in_game" | "loading" | "reconnecting";
const HOMES: Readonly<Record<string, Phase>> = { lobby: "matchmaking", arena: "in_game" };

/** What the rooms themselves see of each session, by its id, in milliseconds of the simulated clock. */
export const stays = new Map<string, Stay[]>();
const byClient = new Map<string, Stay>();
/** Held seats, by Colyseus' sessionId. */
const held = new Map<string, Deferred>();
/** What each phase of the story that is played should last, in milliseconds. */
let expected: Record<string, number> = {};

/** Takes its time in each hook, and holds the seat of everybody who drops. */
export class Slow extends Room {
  override onJoin(client: Client) {
    const { id } = sessionOf(client);
    const stay = { from: now(), until: Infinity, phase: HOMES[this.roomName] };
    byClient.set(client.sessionId, stay);
    stays.set(id, [...(stays.get(id) ?? []), stay]);
    elapse(300, pass);
  }
  override onDrop(client: Client) {
    byClient.get(client.sessionId)!.phase = "reconnecting";
    const reconnection = this.allowReconnection(client, 60);
    reconnection.catch(() => {});
    held.set(client.sessionId, reconnection);
    elapse(200, pass);
  }
  override onReconnect(client: Client) {
    held.delete(client.sessionId);
    byClient.get(client.sessionId)!.phase = HOMES[this.roomName];
    elapse(400, pass);
  }
  override onLeave(client: Client) {
    const stay = byClient.get(client.sessionId)!;
    Object.assign(stay, { phase: undefined, until: now() });
    // A seat that is given up is gone when this is over.
    elapse(held.has(client.sessionId) ? 0 : 700, pass);
  }
}

/** So many milliseconds pass, in all phases that are open. */
function elapse(ms: number, how: (ms: number) => void): void {
  how(ms);
  for (const { phase } of byClient.values()) {
    if (phase) {
      expected[phase] = (expected[phase] ?? 0) + ms;
    }
  }
}

/** Over two segments at most. */
const seconds = fc.integer({ min: 1, max: 1500 });
const homes = fc.constantFrom<Home>("lobby", "arena");
const steps = fc.oneof(
  fc.record({ step: fc.constant("stay"), seconds }),
  fc.record({ step: fc.constant("load"), seconds, ends: fc.boolean() }),
  fc.record({ step: fc.constant("drop"), seconds }),
  fc.record({ step: fc.constant("move"), seconds, to: homes, overlaps: fc.boolean() }),
);
/** Lobbies and matches in any order, with overlaps and gaps between them, phases of the game's own, drops and returns. */
export const stories = fc.record({ home: homes, steps: fc.array(steps, { maxLength: 8 }), lost: fc.boolean() });
type Story = typeof stories extends fc.Arbitrary<infer Value> ? Value : never;
type Step = Story["steps"][number];

export interface PlayedStory {
  readonly story: Story;
  /** Of the session. */
  readonly id: string;
  /** Milliseconds of each phase. */
  readonly expected: Readonly<Record<string, number>>;
}

interface Player {
  readonly server: SimulatedServer;
  room: ClientRoom;
}

export async function playStory(server: SimulatedServer, story: Story): Promise<PlayedStory> {
  expected = {};
  byClient.clear();
  const player: Player = { server, room: await enter(server, story.home) };
  const { id } = sessionOf(clientOf(player));
  for (const step of story.steps) {
    await act(player, step);
  }
  if (story.lost) {
    await beDropped(player);
    last(player, 20);
    held.get(player.room.sessionId)!.reject();
  } else {
    await player.room.leave();
  }
  await until("the leave", () => stays.get(id)!.every((stay) => stay.until < Infinity));
  return { story, id, expected };
}

async function act(player: Player, step: Step): Promise<void> {
  if ("to" in step) {
    await move(player, step);
  } else if ("ends" in step) {
    load(player, step);
  } else if (step.step === "drop") {
    await beDropped(player);
    last(player, step.seconds);
    player.room = await player.server.game.client().reconnect(player.room.reconnectionToken);
    player.room.reconnection.enabled = false;
  } else {
    last(player, step.seconds);
  }
}

async function move(player: Player, step: Extract<Step, { readonly to: Home }>): Promise<void> {
  const { server, room } = player;
  const carrier = { ...sessionOf(clientOf(player)).carrier() };
  if (step.overlaps) {
    player.room = await enter(server, step.to, carrier);
    last(player, step.seconds);
    await room.leave();
  } else {
    await room.leave();
    last(player, step.seconds);
    player.room = await enter(server, step.to, carrier);
  }
}

function load(player: Player, step: Extract<Step, { readonly ends: boolean }>): void {
  const loading = sessionOf(clientOf(player)).phase("loading");
  const stay = byClient.get(player.room.sessionId)!;
  stay.phase = "loading";
  last(player, step.seconds);
  if (step.ends) {
    loading.end();
    stay.phase = HOMES[player.room.name];
  }
}

async function enter({ game }: SimulatedServer, home: Home, carrier?: object): Promise<ClientRoom> {
  const room = await game.client().joinOrCreate(home, carrier);
  room.reconnection.enabled = false;
  return room;
}

const clientOf = ({ room }: Player) => roomOf(room.roomId).clients.getById(room.sessionId)!;

const last = ({ server }: Player, seconds: number) => elapse(seconds * 1000, server.play);

async function beDropped({ room }: Player): Promise<void> {
  await drop(room);
  await until("the held seat", () => held.has(room.sessionId));
}
