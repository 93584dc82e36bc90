import { isDevMode, Server } from "@colyseus/core";

/**
 * Under `colyseus/vite`, `defineServer()` gives a server that boots nothing and whose `listen()` does nothing: Vite's own
 * HTTP server listens already. Each reload makes another one.
 */
export function isServedByVite(server: Server): boolean {
  const { bootRuntime } = server as unknown as { bootRuntime?: unknown };
  return isDevMode && bootRuntime !== (Server.prototype as unknown as { bootRuntime?: unknown }).bootRuntime;
}
