import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { GameServer } from "./game-server.ts";
import type { Store } from "./sidecar-cluster.ts";

/** Keeps the GameServer in a file: whoever is killed while it saves leaves the old one or the new one. */
export function storeIn(file: string): Store {
  return {
    load: () => (existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as GameServer) : undefined),
    save: (gameServer) => {
      const next = `${file}.${process.pid}`;
      writeFileSync(next, JSON.stringify(gameServer));
      renameSync(next, file);
    },
  };
}
