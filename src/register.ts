import { createRequire } from "node:module";
import { types } from "node:util";
import { isMainThread } from "node:worker_threads";
import type * as Agones from "./agones.ts";
import type * as GameLift from "./gamelift.ts";
import type * as Main from "./index.ts";
import { installation } from "./internal/installation.ts";
import { describe, guard, warn } from "./internal/report.ts";
import { watchForCore } from "./register/core.ts";
import { optionsFromEnvironment } from "./register/environment.ts";
import { beforeFirstListen, type ServerClass } from "./register/first-listen.ts";
import type * as Sdk from "./sdk.ts";

// Our other entries, in the same folder once they are bundled. They are required, not imported: it must be done before
// the app's next line runs, which may create a counter that a provider registered later would never see, or listen.
const load = createRequire(import.meta.url);

interface Entries {
  readonly main: () => typeof Main;
  readonly agones: () => typeof Agones;
  readonly gamelift: () => typeof GameLift;
}

const required: Entries = {
  main: () => load("./index.js") as typeof Main,
  agones: () => load("./agones.js") as typeof Agones,
  gamelift: () => load("./gamelift.js") as typeof GameLift,
};

// Workers inherit --import, and have no boot of their own.
if (isMainThread) {
  guard("register", preload);
}

function preload(): void {
  let entries: Entries | Promise<Entries> | undefined;
  const core = watchForCore((Server) => {
    if (!Server) {
      warn(
        "register",
        "this release of @colyseus/core is not known to colyseus-otel/register: use instrument() instead",
      );
      return;
    }
    if (!entries) {
      entries = required;
      attempt("telemetry is not started", () => {
        // Whoever compiles what is required (tsx) has made a copy of the module, and would make one of core: then ours
        // are imported, and the first listen() waits for them.
        if (!types.isModuleNamespaceObject(startTelemetry())) {
          entries = importEntries();
        }
      });
    }
    beforeFirstListen(Server, (server) => {
      core.unwatch();
      // A program that calls instrument() itself is traced already.
      if (installation.by) {
        return false;
      }
      // Or has called it by now, while ours were imported: then listen() is its own.
      const trace = (from: Entries) =>
        installation.by !== undefined ||
        attempt("this server is not traced", () => instrumentServer(server, from, core.appUsesAgones));
      return entries instanceof Promise ? entries.then(trace) : trace(entries ?? required);
    });
  });
}

function startTelemetry(): typeof Sdk {
  installation.preloading = true;
  try {
    const sdk = load("./sdk.js") as typeof Sdk;
    sdk.startTelemetry();
    return sdk;
  } finally {
    installation.preloading = false;
  }
}

async function importEntries(): Promise<Entries> {
  const entry = (path: string) => import(new URL(path, import.meta.url).href) as Promise<unknown>;
  try {
    const [main, agones, gamelift] = await Promise.all([
      entry("./index.js"),
      entry("./agones.js"),
      entry("./gamelift.js"),
    ]);
    return {
      main: () => main as typeof Main,
      agones: () => agones as typeof Agones,
      gamelift: () => gamelift as typeof GameLift,
    };
  } catch {
    // What is required fails for the same reason, where it is told.
    return required;
  }
}

function instrumentServer(server: InstanceType<ServerClass>, entries: Entries, appUsesAgones: boolean): void {
  const options = optionsFromEnvironment(process.env, {
    appUsesAgones,
    agones: () => entries.agones().agones(),
    gamelift: () => entries.gamelift().gamelift(),
  });
  entries.main().instrument(server, options);
  installation.by = "register";
}

/** Whether it worked. The app goes on either way. */
function attempt(failed: string, action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    warn(`register ${failed}`, `${failed}: ${describe(error)}`);
    return false;
  }
}
