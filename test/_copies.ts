import type * as core from "@colyseus/core";
import type { WebSocketTransport } from "@colyseus/ws-transport";
import type { instrument, sessionOf } from "colyseus-otel";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
// Packed in the matrix, in the place of any package; else what is written here.
const packed = existsSync(join(root, "node_modules/colyseus-otel"));
const [ours, entry] = packed ? ["node_modules/colyseus-otel", "colyseus-otel"] : ["src", "./src/index.ts"];
const COPIED = [ours, "node_modules/@colyseus/core", "node_modules/@colyseus/ws-transport"];
const LOADER = `
  export * as core from "@colyseus/core";
  export { WebSocketTransport } from "@colyseus/ws-transport";
  export { instrument, sessionOf } from "${entry}";
`;

export type Core = typeof core;

/** What one process of a cluster has for itself: module state of the matchmaker, and of the plugin. */
export interface Copy {
  readonly core: Core;
  readonly WebSocketTransport: typeof WebSocketTransport;
  readonly instrument: typeof instrument;
  readonly sessionOf: typeof sessionOf;
}

/** A copy of Colyseus and of the plugin that knows nothing of any other in this Node process. */
export async function loadCopy(): Promise<Copy> {
  const directory = await mkdtemp(join(tmpdir(), "colyseus-otel-"));
  const copy = join(directory, "copy");
  // One level up, so that all but what is copied is found there, and is everybody's.
  await symlink(join(root, "node_modules"), join(directory, "node_modules"), "dir");
  await Promise.all(COPIED.map((path) => cp(join(root, path), join(copy, path), { recursive: true })));
  await mkdir(copy, { recursive: true });
  await writeFile(join(copy, "package.json"), `{ "type": "module" }`);
  await writeFile(join(copy, "load.mjs"), LOADER);
  try {
    return alone(() => requireNatively(join(copy, "load.mjs")) as Copy);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Vitest would transform what import() is given, and hand out the core that the tests have. */
const requireNatively = createRequire(import.meta.url);

const INSTALLATION = Symbol.for("colyseus-otel.installation");

/** "Instrumented already" is said on a global, and is meant of a process: each copy finds none, and keeps its own. */
function alone<T>(load: () => T): T {
  const slot = globalThis as { [INSTALLATION]?: unknown };
  const ours = slot[INSTALLATION];
  delete slot[INSTALLATION];
  try {
    return load();
  } finally {
    slot[INSTALLATION] = ours;
  }
}
