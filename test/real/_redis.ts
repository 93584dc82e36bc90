import { freePort } from "../../demo/free-port.ts";
import { startProgram, type Program } from "./_program.ts";

export interface Redis extends Program {
  readonly port: number;
}

export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const set = { port, bind: "127.0.0.1", save: "", appendonly: "no" };
  const program = await startProgram("redis-server", {
    args: (folder) => Object.entries({ ...set, dir: folder }).flatMap(([key, value]) => [`--${key}`, String(value)]),
    ready: /Ready to accept connections/,
  });
  return Object.assign(program, { port });
}
