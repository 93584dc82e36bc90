import type { Registered } from "./allocation-answers.ts";
import type { GameServer } from "./game-server.ts";
import { resourceOf } from "./kubernetes-objects.ts";

export interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly server: GameServer;
}

/** GameServers with the versions that etcd gives them: one sequence for all. */
export interface Store {
  version(): number;
  all(): readonly Change[];
  /** Changes after this version; undefined where they are forgotten. */
  since(version: number): readonly Change[] | undefined;
  listen(listener: (change: Change) => void): () => void;
  add(one: Registered): void;
  /** Forgets all changes up to now, as etcd does every five minutes. */
  compact(): void;
  stop(): void;
}

export function createStore(): Store {
  const current = new Map<string, Change>();
  const listeners = new Set<(change: Change) => void>();
  const undos: (() => void)[] = [];
  let log: Change[] = [];
  let forgotten = 0;
  let version = 1;

  function tell(type: Change["type"], server: GameServer): void {
    version += 1;
    const change = { version, type, server };
    log.push(change);
    if (type === "DELETED") current.delete(server.name);
    else current.set(server.name, change);
    for (const listener of listeners) listener(change);
  }

  return {
    version: () => version,
    all: () => [...current.values()],
    since: (from) => (from < forgotten ? undefined : log.filter((change) => change.version > from)),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add({ server }) {
      tell("ADDED", server.gameServer());
      const undo = server.watch(() => {
        tell("MODIFIED", server.gameServer());
        // The controller's part.
        if (server.gameServer().state === "Shutdown") {
          undo();
          tell("DELETED", server.gameServer());
        }
      });
      undos.push(undo);
    },
    compact() {
      log = [];
      forgotten = version;
    },
    stop: () => undos.forEach((undo) => undo()),
  };
}

/** A line of a watch. */
export function lineOf({ type, server, version }: Change): string {
  return `${JSON.stringify({ type, object: resourceOf(server, version) })}\n`;
}
