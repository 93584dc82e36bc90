import { registerHooks } from "node:module";
import { guard } from "../internal/report.ts";
import type { ServerClass } from "./first-listen.ts";

export interface CoreWatch {
  /** The app has loaded the Agones SDK: it calls Ready() itself. */
  readonly appUsesAgones: boolean;
  unwatch(): void;
}

const SERVER_MODULE = /\/@colyseus\/core\/build\/Server\.[mc]?js(?:\?|$)/;
const AGONES_MODULE = /\/@google-cloud\/agones-sdk\//;

const SLOT = Symbol.for("colyseus-otel.register");
const slot = globalThis as { [SLOT]?: ((Server: ServerClass | undefined) => void) | undefined };
// Behind the module's last line, so that the lines of its stack traces stay what they are.
const TELL_US = `\n;globalThis[Symbol.for("colyseus-otel.register")]?.(typeof Server === "function" ? Server : undefined);\n`;

/**
 * Calls `loaded` with each Server class of `@colyseus/core` as soon as the app's own import has evaluated it.
 *
 * Core is not imported from here, for two reasons. Every node process that inherits the preload (npm, pm2, a tool) would
 * pay 155 ms for it, where the hook costs nothing that can be measured. And core reads the environment while it is
 * evaluated (DEBUG, NODE_ENV, COLYSEUS_*), so it must not run before the app's dotenv, which `@colyseus/tools` imports first.
 */
export function watchForCore(loaded: (server: ServerClass | undefined) => void): CoreWatch {
  let appUsesAgones = false;
  const found = new Set<string>();
  slot[SLOT] = (Server) => guard("register", () => loaded(Server));
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      appUsesAgones ||= AGONES_MODULE.test(resolved.url);
      if (SERVER_MODULE.test(resolved.url) && !found.has(resolved.url)) {
        found.add(resolved.url);
        appendOnce(resolved.url);
      }
      return resolved;
    },
  });
  return {
    get appUsesAgones() {
      return appUsesAgones;
    },
    unwatch() {
      hooks.deregister();
      slot[SLOT] = undefined;
    },
  };
}

/**
 * Has the next load of this module tell us. In Node up to 22.22 and 24.4 no CommonJS module that is loaded while there is
 * any load hook can require an ES module ("request for ... is not in cache"), so the hook is there for this one load only.
 */
function appendOnce(server: string): void {
  const hook = registerHooks({
    load(url, context, nextLoad) {
      const module = nextLoad(url, context);
      if (url !== server) {
        return module;
      }
      hook.deregister();
      return module.source ? { ...module, source: `${textOf(module.source)}${TELL_US}` } : module;
    },
  });
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}
