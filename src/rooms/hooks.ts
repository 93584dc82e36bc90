import { matchMaker, Room, type RegisteredHandler } from "@colyseus/core";
import { patch, undoAll, type Method, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { authHook, traceStaticAuth } from "./auth.ts";
import { createHook } from "./create.ts";
import { disposeHook } from "./dispose.ts";
import { dropHook } from "./drop.ts";
import { traceHook, type RoomHook } from "./hook.ts";
import { tracePresence } from "./ipc.ts";
import { joinHook, traceJoin } from "./join.ts";
import { leaveHook, traceDisconnect } from "./leave.ts";
import { traceListings } from "./listing.ts";
import { traceMatchmake } from "./matchmake.ts";
import { countReceived, meetSenders } from "./messages.ts";
import type { RoomsObserver, RoomsState } from "./observer.ts";
import { countPopulation } from "./population.ts";
import { reconnectHook } from "./reconnect.ts";
import { traceReserve } from "./reserve.ts";
import { detachTimers, traceInit } from "./root-context.ts";
import { keepJoinOptions, tellPlayers } from "./seated.ts";
import { timeLoop, timePatches } from "./ticks.ts";

type Wrap = (observer: RoomsObserver) => (original: Method) => Method;

/** What is wrapped on Colyseus itself: each is one property of one object. */
const HOST_HOOKS: readonly { readonly owner: object; readonly key: string; readonly wrap: Wrap }[] = [
  { owner: matchMaker.controller, key: "invokeMethod", wrap: traceMatchmake },
  { owner: Room.prototype, key: "__init", wrap: traceInit },
  { owner: Room.prototype, key: "_reserveSeat", wrap: traceReserve },
  {
    owner: Room.prototype,
    key: "_onJoin",
    wrap: (observer) => (original) => traceJoin(observer)(keepJoinOptions(observer)(meetSenders(observer)(original))),
  },
  { owner: Room.prototype, key: "_onLeave", wrap: traceDisconnect },
  // In 0.18 it calls setTimestep, and a tick is one tick.
  {
    owner: Room.prototype,
    key: "setSimulationInterval",
    wrap: "setTimestep" in Room.prototype ? () => detachTimers : timeLoop,
  },
  { owner: Room.prototype, key: "setTimestep", wrap: timeLoop },
  { owner: Room.prototype, key: "setFixedTimestep", wrap: timeLoop },
  { owner: Room.prototype, key: "broadcastPatch", wrap: timePatches },
  { owner: Room.prototype, key: "_armUnreliablePatches", wrap: () => detachTimers },
];

/**
 * What is wrapped on the game's room classes, and only where they define it: a room without onDrop that got one would
 * lose its onLeave, and an inherited onAuth is compared with Room's.
 */
const ROOM_HOOKS: readonly RoomHook[] = [
  createHook,
  authHook,
  joinHook,
  dropHook,
  reconnectHook,
  leaveHook,
  disposeHook,
];

/** Wraps the host and every room class; the returned undo puts back the very same functions. */
export function installHooks(state: RoomsState): Undo {
  const undos: Undo[] = [];
  const met = new WeakSet<object>();
  let undone = false;
  const observer: RoomsObserver = { ...state, meetNewRooms };
  const staticAuth = traceStaticAuth(observer);
  // One wrapper factory a hook, for all classes: it knows when a hook runs inside its subclass's.
  const hooks = ROOM_HOOKS.map((hook) => ({ key: hook.key, wrap: traceHook(observer, hook) }));

  function meetNewRooms(asked?: unknown): void {
    const handlers: Record<string, RegisteredHandler> = matchMaker.getAllHandlers();
    // A wrapper that somebody has wrapped stays, and still asks.
    if (undone || (typeof asked === "string" && met.has(handlers[asked] ?? observer))) {
      return;
    }
    for (const name in handlers) {
      const handler = handlers[name];
      if (handler && !met.has(handler)) {
        met.add(handler);
        undos.push(countPopulation(observer, handler));
        if (observer.seats) {
          undos.push(tellPlayers(observer, observer.seats, handler));
        }
        wrapClass(handler.klass);
      }
    }
  }

  /** Each class of the hierarchy below Room, where it defines the hook itself. */
  function wrapClass(klass: RoomClass): void {
    for (let current = klass; isGameRoom(current); current = Object.getPrototypeOf(current) as RoomClass) {
      undos.push(patch(current, "onAuth", staticAuth));
      for (const { key, wrap } of hooks) {
        undos.push(patch(current.prototype, key, wrap));
      }
    }
  }

  for (const { owner, key, wrap } of HOST_HOOKS) {
    undos.push(patch(owner, key, wrap(observer)));
  }
  if (observer.traffic) {
    undos.push(observer.traffic.undo, patch(Room.prototype, "_onMessage", countReceived(observer.traffic)));
  }
  undos.push(onceSetUp(() => [tracePresence(observer), traceListings()]));
  meetNewRooms();
  return () => {
    undone = true;
    undoAll(undos);
  };
}

/** Core has its presence and its driver when setup() is over, and listens from accept() on, which waits for the same promise. */
function onceSetUp(install: () => Undo[]): Undo {
  const undos: Undo[] = [];
  let undone = false;
  void matchMaker.onReady?.then(() => {
    if (!undone) {
      guard("setup", () => undos.push(...install()));
    }
  });
  return () => {
    undone = true;
    undoAll(undos);
  };
}

type RoomClass = RegisteredHandler["klass"];

function isGameRoom(klass: RoomClass): boolean {
  return typeof klass === "function" && klass.prototype instanceof Room;
}
