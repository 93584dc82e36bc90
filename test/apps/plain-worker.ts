// A program whose worker is the game server.
import { Worker } from "node:worker_threads";

const worker = new Worker(new URL("./plain.ts", import.meta.url));
worker.on("message", (message) => process.send?.(message));
