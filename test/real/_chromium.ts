import { once } from "node:events";
import { WebSocket } from "ws";
import { freePort } from "../../demo/free-port.ts";
import { startProgram } from "./_program.ts";

export interface Chromium extends AsyncDisposable {
  /** Name and version. */
  readonly product: string;
  open(url: string): Promise<Tab>;
}

export interface Tab {
  /** What an expression comes to in the page, awaited. */
  run<T>(expression: string): Promise<T>;
  /** All that the page's console shows, the browser's own lines as well. */
  readonly said: readonly string[];
  offline(is: boolean): Promise<void>;
  close(): Promise<void>;
  /** The process of the page is gone, as when it runs out of memory. */
  crash(): void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

type Send = <T>(method: string, params?: object, sessionId?: string) => Promise<T>;

// Root has no sandbox, and a container's /dev/shm is too small.
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--accept-lang=de-AT,de"];

/** Chromium without a screen, driven by its DevTools protocol. */
export async function startChromium(): Promise<Chromium> {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const program = await startProgram("chromium", {
    args: (folder) => [...FLAGS, `--remote-debugging-port=${port}`, `--user-data-dir=${folder}`],
    ready: /DevTools listening on/,
  });
  stack.use(program);
  const about = await fetch(`http://127.0.0.1:${port}/json/version`);
  const { webSocketDebuggerUrl, Browser } = (await about.json()) as Record<string, string>;
  const { send, listen, socket } = await connect(webSocketDebuggerUrl!);
  stack.defer(async () => {
    // By itself: what is killed leaves processes that still write into the folder.
    const closed = once(socket, "close");
    await send("Browser.close");
    await closed;
  });
  const all = stack.move();
  return {
    product: Browser!,
    open: async (url) => openTab(send, listen, url),
    [Symbol.asyncDispose]: async () => all.disposeAsync(),
  };
}

async function openTab(send: Send, listen: (heard: (message: Message) => void) => void, url: string): Promise<Tab> {
  const { targetId } = await send<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
  const said: string[] = [];
  const loaded = Promise.withResolvers<void>();
  listen(({ method, sessionId: from, params }) => {
    if (from !== sessionId) {
      return;
    }
    if (method === "Page.loadEventFired") {
      loaded.resolve();
    }
    said.push(...linesOf(method, params));
  });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) {
    await send(`${domain}.enable`, {}, sessionId);
  }
  await send("Page.navigate", { url }, sessionId);
  await loaded.promise;
  return {
    said,
    run: async (expression) => evaluate(send, expression, sessionId),
    offline: async (offline) => {
      const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      await send("Network.emulateNetworkConditions", conditions, sessionId);
    },
    close: async () => send("Target.closeTarget", { targetId }),
    // Nobody is left to answer.
    crash: () => void send("Page.crash", {}, sessionId).catch(() => {}),
  };
}

async function evaluate<T>(send: Send, expression: string, sessionId: string): Promise<T> {
  const how = { expression, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await send<{
    readonly result: { readonly value: T };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  }>("Runtime.evaluate", how, sessionId);
  if (exceptionDetails) {
    throw new Error(`in the page: ${exceptionDetails.exception?.description}`);
  }
  return result.value;
}

function linesOf(method: string | undefined, params: unknown): string[] {
  if (method === "Log.entryAdded") {
    return [(params as { entry: { text: string } }).entry.text];
  }
  return method === "Runtime.consoleAPICalled"
    ? [(params as { args: { value?: unknown }[] }).args.map(({ value }) => String(value)).join(" ")]
    : [];
}

async function connect(url: string) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  const listeners: ((message: Message) => void)[] = [];
  let last = 0;
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(String(data)) as Message;
    const waiting = message.id === undefined ? undefined : asked.get(message.id);
    if (message.error) {
      waiting?.reject(new Error(message.error.message));
    }
    waiting?.resolve(message.result);
    for (const heard of listeners) {
      heard(message);
    }
  });
  const send = (async (method, params = {}, sessionId) => {
    const id = ++last;
    asked.set(id, Promise.withResolvers());
    socket.send(JSON.stringify({ id, method, params, sessionId }));
    return asked.get(id)!.promise;
  }) as Send;
  return { socket, send, listen: (heard: (message: Message) => void) => void listeners.push(heard) };
}
