// Stands in for the Kubernetes API with Agones in it: gameserverallocations and gameservers, over HTTP or HTTPS; checked
// by reading agones-dev/agones 676cc64 (pkg/gameserverallocations/controller.go, pkg/apis/allocation/v1) and by the calls
// of @kubernetes/client-node 2.0.1. Left out: all other kinds and verbs, RBAC (a bearer token is all), pages of a list.
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { SLOW_MS } from "./allocation-answers.ts";
import type { AllocationBooks, OpenBooks } from "./allocation-books.ts";
import { openBooks } from "./allocation-books.ts";
import type { ServerTls } from "./allocation-protocol.ts";
import { failure, replyOf, requestOf, type Reply } from "./kubernetes-objects.ts";
import type { Store } from "./kubernetes-store.ts";
import { createStore } from "./kubernetes-store.ts";
import type { WatchFault } from "./kubernetes-watch.ts";
import { listOf, refusalOf, watch } from "./kubernetes-watch.ts";

export type { WatchFault } from "./kubernetes-watch.ts";

export interface KubernetesApiOptions {
  /** @default 0: a free one, to be read from the handle */
  readonly port?: number;
  /** @default plaintext */
  readonly tls?: ServerTls;
}

export interface KubernetesApi extends AllocationBooks, AsyncDisposable {
  readonly port: number;
  /** Its URL. */
  readonly server: string;
  /** Whoever shows another is Unauthorized. */
  readonly token: string;
  /** Watches that are open now. */
  watches(): number;
  /** Queries of lists and watches, in their order. */
  readonly queries: readonly URLSearchParams[];
  /** What goes wrong with lists and watches from now on; undefined for nothing. */
  setWatchFault(fault?: WatchFault): void;
  /** Ends the open watches without a word. */
  cutWatches(): void;
  /** Forgets all versions up to now. */
  compact(): void;
  /** @param timeout in milliseconds, default 5,000 @throws Error that says what was waited for */
  waitFor(predicate: (api: KubernetesApi) => boolean, timeout?: number, what?: string): Promise<void>;
  /** Drops every connection and answers nobody, as its death does. Servers and tally are kept. */
  stop(): Promise<void>;
  /** Comes back on the same port. */
  start(): Promise<void>;
}

const TOKEN = "matchmaker-token";

interface Host {
  readonly store: Store;
  readonly books: OpenBooks;
  readonly open: Set<ServerResponse>;
  readonly queries: URLSearchParams[];
  fault: WatchFault | undefined;
}

/** @throws Error when the port is taken */
export async function startKubernetesApi({ port: wanted = 0, tls }: KubernetesApiOptions = {}): Promise<KubernetesApi> {
  const store = createStore();
  const host: Host = { store, books: openBooks(store.add), open: new Set(), queries: [], fault: undefined };
  const { books, open } = host;
  let server = await listen(host, tls, wanted);
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((closed) => void server.close(() => closed()));
  };
  const api: KubernetesApi = {
    ...books,
    port,
    server: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    token: TOKEN,
    watches: () => open.size,
    queries: host.queries,
    setWatchFault: (fault) => {
      host.fault = fault;
    },
    cutWatches: () => open.forEach((response) => response.destroy()),
    compact: store.compact,
    waitFor: (predicate, timeout = 5_000, what = "the Kubernetes API") =>
      books.waiters.waitFor(() => predicate(api), timeout, what),
    stop,
    start: async () => {
      server = await listen(host, tls, port);
    },
    [Symbol.asyncDispose]: () => {
      store.stop();
      books.waiters.abandon("the Kubernetes API was closed");
      return stop();
    },
  };
  return api;
}

function listen(host: Host, tls: ServerTls | undefined, port: number): Promise<ReturnType<typeof createHttp>> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => void serve(host, request, response);
  const server = tls ? createHttps({ cert: tls.cert, key: tls.key }, answer) : createHttp(answer);
  const { promise, resolve, reject } = Promise.withResolvers<typeof server>();
  server.once("error", (error) =>
    reject(new Error(`the Kubernetes stand-in cannot listen on ${port}`, { cause: error })),
  );
  server.listen(port, "127.0.0.1", () => resolve(server));
  return promise;
}

const ALLOCATIONS = /^\/apis\/allocation\.agones\.dev\/v1\/namespaces\/([^/]+)\/gameserverallocations$/;
const SERVERS = /^\/apis\/agones\.dev\/v1\/namespaces\/([^/]+)\/gameservers$/;

async function serve(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, "http://api");
  const [allocations, servers] = [ALLOCATIONS.exec(pathname), SERVERS.exec(pathname)];
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    send(response, failure(401, "Unauthorized", "Unauthorized"));
  } else if (allocations && request.method === "POST") {
    await allocate(host, await json(request).catch(() => undefined), decodeURIComponent(allocations[1]!), response);
  } else if (servers && request.method === "GET") {
    show(host, searchParams, response);
  } else {
    send(response, failure(404, "NotFound", "the server could not find the requested resource"));
  }
}

async function allocate({ books }: Host, body: unknown, namespace: string, response: ServerResponse): Promise<void> {
  const request = requestOf(body, namespace);
  if (!request) {
    return send(response, failure(422, "Invalid", "GameServerAllocation is invalid"));
  }
  const decision = books.enter(request);
  const reply = replyOf(decision, body as object);
  if (!reply) response.once("close", books.gaveUp);
  books.waiters.changed();
  if (decision.fault === "slow") await new Promise((later) => setTimeout(later, SLOW_MS));
  if (reply) send(response, reply);
}

function show(host: Host, query: URLSearchParams, response: ServerResponse): void {
  const { store, books, open, queries, fault } = host;
  const refusal = refusalOf(query, fault);
  queries.push(query);
  if (refusal) {
    send(response, refusal);
  } else if (query.get("watch") === "true" || fault === "hang") {
    open.add(response);
    response.once("close", () => {
      open.delete(response);
      books.waiters.changed();
    });
    if (fault !== "hang") watch(store, query, fault, response);
  } else {
    send(response, listOf(store, query, fault));
  }
  books.waiters.changed();
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers }).end(text);
}
