import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import type * as Agones from "./agones.ts";
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
const sdkEntry = () => load("./sdk.js") as typeof Sdk;
const mainEntry = () => load("./index.js") as typeof Main;
const agonesEntry = () => load("./agones.js") as typeof Agones;

// Workers inherit --import, and have no boot of their own.
if (isMainThread) {
  guard("register", preload);
}

function preload(): void {
  let started = false;
  const core = watchForCore((Server) => {
    if (!Server) {
      warn(
        "register",
        "this release of @colyseus/core is not known to colyseus-otel/register: use instrument() instead",
      );
      return;
    }
    if (!started) {
      started = true;
      attempt("telemetry is not started", startTelemetry);
    }
    beforeFirstListen(Server, (server) => {
      core.unwatch();
      // A program that calls instrument() itself is traced already.
      return (
        !installation.by && attempt("this server is not traced", () => instrumentServer(server, core.appUsesAgones))
      );
    });
  });
}

function startTelemetry(): void {
  installation.preloading = true;
  try {
    sdkEntry().startTelemetry();
  } finally {
    installation.preloading = false;
  }
}

function instrumentServer(server: InstanceType<ServerClass>, appUsesAgones: boolean): void {
  const options = optionsFromEnvironment(process.env, { appUsesAgones, agones: () => agonesEntry().agones() });
  mainEntry().instrument(server, options);
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
