import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as startRequest } from "node:http";
import { text } from "node:stream/consumers";
import type { Sidecar } from "../standins/agones-sidecar.ts";

type Target = Pick<Sidecar, "httpPort">;

/** What the gateway makes of a request: the status and the JSON of the answer. */
export async function call({ httpPort }: Target, verb: string, path: string, body?: unknown, agent?: Agent) {
  const response = await send(httpPort, verb, path, body, agent);
  const answer = await text(response);
  return { status: response.statusCode, body: answer === "" ? undefined : (JSON.parse(answer) as unknown) };
}

export interface HttpWatch extends Disposable {
  /** The chunks as they came. */
  readonly chunks: Chunk[];
  /** How it ended: undefined as long as it has not. */
  ended(): "end" | "error" | undefined;
}

export interface Chunk {
  readonly result?: { readonly status: { readonly state: string }; readonly object_meta: { readonly uid: string } };
  readonly error?: { readonly code: number };
}

export async function watchHttp({ httpPort }: Target): Promise<HttpWatch> {
  const response = await send(httpPort, "GET", "/watch/gameserver");
  const chunks: Chunk[] = [];
  let ended: "end" | "error" | undefined;
  let rest = "";
  response.setEncoding("utf8").on("data", (data: string) => {
    const lines = (rest + data).split("\n");
    rest = lines.pop() ?? "";
    chunks.push(...lines.map((line) => JSON.parse(line) as Chunk));
  });
  response.once("end", () => (ended ??= "end")).once("error", () => (ended ??= "error"));
  return { chunks, ended: () => ended, [Symbol.dispose]: () => response.destroy() };
}

async function send(port: number, method: string, path: string, body?: unknown, agent = new Agent()) {
  const request = startRequest({ host: "127.0.0.1", port, method, path, agent });
  if (body === undefined) request.end();
  else request.end(typeof body === "string" ? body : JSON.stringify(body));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}
