// Preloaded into the servers that are measured: the apps stay what a user would write. `main` is the main thread.
const crowd = () => import("./crowd.mjs");

/** What the bench may ask for; other preloads add theirs. */
export const COMMANDS = {
  cpu,
  heap,
  /** CPU of joins with their leaves, and of the export of their spans: `settle` is longer than a batch waits. */
  async joins({ settle = 0, ...wanted }) {
    const { joinAndLeave } = await crowd();
    const before = cpu();
    await joinAndLeave(wanted);
    await wait(settle);
    const after = cpu();
    return { process: after.process - before.process, main: after.main - before.main };
  },
  rooms: async (wanted) => (await crowd()).openRooms(wanted),
  fill: async (wanted) => (await crowd()).fill(wanted),
  empty: async (wanted) => (await crowd()).empty(wanted),
  closeRoom: async () => (await crowd()).closeRoom(),
};

process.on("message", async (message) => {
  if (message?.type !== "meter:ask") return;
  try {
    process.send({ type: "meter:answer", value: (await COMMANDS[message.what](message)) ?? {} });
  } catch (error) {
    process.send({ type: "meter:answer", error: error.stack });
  }
});
process.on("disconnect", () => process.exit());

/** Microseconds since the start. */
function cpu() {
  const [all, main] = [process.cpuUsage(), process.threadCpuUsage()];
  return { process: all.user + all.system, main: main.user + main.system };
}

async function heap() {
  // Twice: what a finalizer lets go is free at the second.
  for (let pass = 0; pass < 2; pass += 1) {
    globalThis.gc();
    await wait(50);
  }
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, rss };
}

function wait(ms) {
  return new Promise((next) => setTimeout(next, ms));
}
