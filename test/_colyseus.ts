import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

const manifest = findPackageJSON("@colyseus/core", import.meta.url)!;
const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string };

/**
 * Whether the suite runs on Colyseus 0.17, which `npm run test:matrix` does. It has no room plugins, no `setTimestep()`,
 * `setFixedTimestep()`, `unreliablePatchRate` and `kickClient()`, gives static `onAuth` its class as `this`, and a
 * CommonJS program loads another copy of it than an ES module.
 */
export const on17 = version.startsWith("0.17.");
