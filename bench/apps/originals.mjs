// Preloaded beside meter.mjs: the functions that messages pass, as they are before anybody has wrapped them.
import { Room } from "@colyseus/core";
import { WebSocketClient } from "@colyseus/ws-transport";
import { COMMANDS } from "./meter.mjs";

const METHODS = [
  [Room.prototype, ["onMessage", "onMessageBytes", "broadcast", "broadcastBytes", "sendFullState", "_onMessage"]],
  [WebSocketClient.prototype, ["send", "sendBytes", "enqueueRaw", "raw", "error"]],
];
const originals = METHODS.flatMap(([owner, keys]) => keys.map((key) => ({ owner, key, original: owner[key] })));

/** Names of those that are another function object now. */
COMMANDS.changedFunctions = () => {
  const missing = originals.filter(({ original }) => typeof original !== "function").map(({ key }) => key);
  if (missing.length > 0) throw new Error(`no such function: ${missing.join(", ")}`);
  return originals.filter(({ owner, key, original }) => owner[key] !== original).map(({ key }) => key);
};
