import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { unlessAborted } from "../../patience.ts";
import type { KubeConfigLike } from "../options.ts";

/** The Kubernetes API said no, or (without a status) nobody answered. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number | undefined;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(message: string, answer: { status?: number; retryAfter?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: answer.cause });
    this.status = answer.status;
    this.retryAfter = answer.retryAfter;
  }
}

export interface Api {
  /**
   * One request; the answer is 2xx, its body still to be read. Rejects with an ApiError, or with the signal's reason.
   */
  request(path: string, signal: AbortSignal, body?: object): Promise<IncomingMessage>;
}

/**
 * Of the client only the KubeConfig: who and where, asked at every request, because tokens are renewed. Its generated API
 * (2.0) opens a connection a call and closes none, and its Watch keeps what a refusal says to itself.
 */
export function createApi(kubernetes: true | KubeConfigLike): Api {
  const loading = kubernetes === true ? loadConfig() : Promise.resolve(kubernetes);
  loading.catch(() => {});
  return {
    async request(path, signal, body) {
      const config = await unlessAborted(loading, signal);
      const server = config.getCurrentCluster()?.server;
      if (!server) {
        throw new Error("the KubeConfig has no current cluster");
      }
      const headers: OutgoingHttpHeaders = { accept: "application/json" };
      if (body) {
        headers["content-type"] = "application/json";
      }
      const options = { method: body ? "POST" : "GET", headers, signal };
      await unlessAborted(config.applyToHTTPSOptions(options), signal);
      const response = await send(new URL(server.replace(/\/$/, "") + path), options, body);
      return response.statusCode! < 300 ? response : Promise.reject(await refusal(response));
    },
  };
}

interface ClientNode {
  readonly KubeConfig: new () => KubeConfigLike & { loadFromDefault(): void };
}

async function loadConfig(): Promise<KubeConfigLike> {
  const { KubeConfig } = (await import("@kubernetes/client-node").catch((cause: unknown) => {
    const install = "npm install @kubernetes/client-node";
    throw new Error(`agones({ kubernetes: true }) of colyseus-otel/backend needs a package: ${install}`, { cause });
  })) as ClientNode;
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

function send(url: URL, options: { readonly signal: AbortSignal }, body: object | undefined): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, resolve);
  // Also after the answer: what breaks then reaches whoever reads the body.
  request.on("error", (error: Error) => reject(unanswered(error, options.signal)));
  request.end(body && JSON.stringify(body));
  return promise;
}

/** What is read of a body when the connection breaks. */
export function unanswered(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    return signal.reason;
  }
  // Of a host with two addresses: an AggregateError, which says nothing.
  const { message, code } = error as NodeJS.ErrnoException;
  return new ApiError(message || String(code), { cause: error });
}

async function refusal(response: IncomingMessage): Promise<ApiError> {
  const { statusCode: status = 0, headers } = response;
  const said = await text(response).catch(() => "");
  const message = messageOf(said).replaceAll(/\s+/g, " ").trim().slice(0, 500);
  const retryAfter = millisecondsOf(headers["retry-after"]);
  return new ApiError(`the Kubernetes API answered ${status}: ${message}`, { status, retryAfter });
}

/** A Status object, or the plain text of a proxy or of Agones' own handler. */
function messageOf(said: string): string {
  try {
    const { message } = JSON.parse(said) as { message?: unknown };
    return typeof message === "string" ? message : said;
  } catch {
    return said;
  }
}

/** Seconds, or a date. */
export function millisecondsOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined || retryAfter.trim() === "") {
    return undefined;
  }
  const seconds = Number(retryAfter);
  const wait = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
