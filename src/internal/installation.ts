/** What `./register` and the program's own lines know of each other, so that nothing is done twice. */
interface Installation {
  /** Who traces this process. */
  by?: "instrument" | "register" | undefined;
  /** `./register` is calling `startTelemetry()`: the program's own call takes over what it starts. */
  preloading?: boolean;
}

// On a global symbol, because register.js is a bundle of its own.
const KEY = Symbol.for("colyseus-otel.installation");
const slot = globalThis as { [KEY]?: Installation };

export const installation: Installation = (slot[KEY] ??= {});
