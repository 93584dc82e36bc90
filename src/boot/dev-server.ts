import { isDevMode, Server } from "@colyseus/core";

/**
 * Under `colyseus/vite`, `defineServer()` gives a server that boots nothing and whose `listen()` does nothing: Vite's own
 * HTTP server listens already. Each reload makes another one. In 0.17 it is no server at all, but what was defined.
 */
export function isServedByVite(server: object): boolean {
  return (
    isDevMode &&
    (server instanceof Server ? bootRuntimeOf(server) !== bootRuntimeOf(Server.prototype) : "~rooms" in server)
  );
}

function bootRuntimeOf(server: object): unknown {
  return (server as { bootRuntime?: unknown }).bootRuntime;
}
