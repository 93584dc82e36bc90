import type { Server } from "@colyseus/core";

export type ServerClass = typeof Server;

const undos: (() => void)[] = [];

/**
 * Calls `instrument` with the first server that listens, just before it does; it returns whether it has instrumented it,
 * or a promise of that which listen() waits for.
 * By then every Server class is again as it was.
 */
export function beforeFirstListen(
  { prototype }: ServerClass,
  instrument: (server: Server) => boolean | Promise<boolean>,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "listen");
  const original = descriptor?.value as Server["listen"] | undefined;
  if (!descriptor || !original) {
    return;
  }
  let over = false;
  const firstListen: Server["listen"] = function listen(this: Server, ...args) {
    if (over) {
      return original.apply(this, args);
    }
    for (const undo of undos.splice(0)) {
      undo();
    }
    // An instrumented server has a listen() of its own.
    const listen = (traced: boolean) => (traced ? this.listen(...args) : original.apply(this, args));
    const traced = instrument(this);
    return typeof traced === "boolean" ? listen(traced) : traced.then(listen);
  };
  // Not by patch(): what it wrapped counts as traced, and the app's own instrument() would leave listen() alone.
  Object.defineProperty(prototype, "listen", { ...descriptor, value: firstListen });
  undos.push(() => {
    over = true;
    if (prototype.listen === firstListen) {
      Object.defineProperty(prototype, "listen", descriptor);
    }
  });
}
