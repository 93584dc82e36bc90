// Preloaded beside meter.mjs: how long the event loop stood still. A timer each millisecond, so not in parts that count CPU.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { COMMANDS } from "./meter.mjs";

const NOTED_MS = 2;
const gaps = [];
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  if (now - last > NOTED_MS) gaps.push({ at: Number(process.hrtime.bigint()), ms: now - last });
  last = now;
}, 1).unref();

COMMANDS.forgetStalls = () => {
  delay.reset();
  gaps.length = 0;
};

/** The longest that ended after `since` (nanoseconds of process.hrtime), in milliseconds, by two clocks. */
COMMANDS.longestStall = ({ since }) => ({
  gap: Math.max(0, ...gaps.filter(({ at }) => at >= Number(since)).map(({ ms }) => ms)),
  delay: delay.max / 1e6,
});
