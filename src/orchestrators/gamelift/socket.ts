import type { RawData, WebSocket } from "ws";
import { describe } from "../../internal/report.ts";

/** A game session brings up to 262,144 characters of the game's and 390,000 of the matchmaker's, escaped in JSON. */
const MAX_PAYLOAD = 4 * 1024 * 1024;
const GOODBYE_MS = 1000;
const USER_AGENT = "colyseus-otel";

export interface SocketEvents {
  /** Undefined for a frame that is no text. */
  message(text: string | undefined): void;
  closed(reason: string): void;
}

/** One open WebSocket. */
export interface Socket {
  send(text: string): void;
  /** Says goodbye. */
  close(): void;
  /** Does not wait for a peer that may be gone. */
  terminate(): void;
}

/**
 * Resolves when the socket is open. `url` holds secrets: it stands in no message.
 *
 * @throws Error that says what came instead: an HTTP status, or the network's code
 */
export async function openSocket(url: string, timeout: number, events: SocketEvents): Promise<Socket> {
  const { WebSocket } = await import("ws").catch((cause: unknown) => {
    throw new Error("gamelift() needs the package ws: npm install ws", { cause });
  });
  const socket = new WebSocket(url, {
    handshakeTimeout: timeout,
    maxPayload: MAX_PAYLOAD,
    // Its inflated size cannot be known before, and nothing here is large.
    perMessageDeflate: false,
    headers: { "User-Agent": USER_AGENT },
  });
  await opened(socket);
  let problem: string | undefined;
  socket.on("error", (error) => {
    problem = describe(error);
    // By itself it would wait half a minute for a peer that does not say goodbye.
    socket.terminate();
  });
  socket.on("message", (data, isBinary) => events.message(isBinary ? undefined : textOf(data)));
  socket.once("close", (code, reason) => events.closed(problem ?? `closed with ${code} ${String(reason)}`.trim()));
  socket.resume();
  return {
    // What cannot be sent is told by the close that follows.
    send: (text) => socket.send(text, () => {}),
    close() {
      socket.close(1000);
      // A peer that does not answer would keep the process alive for half a minute.
      setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
    },
    terminate: () => socket.terminate(),
  };
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => {
      // terminate() before the handshake is over gives another error, which must be heard.
      socket.removeAllListeners().on("error", () => {});
      socket.terminate();
      reject(new Error(what));
    };
    socket.once("unexpected-response", (_request, { statusCode }) => fail(`HTTP status ${statusCode}`));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once("close", () => fail("closed before it was open"));
    socket.once("open", () => {
      socket.removeAllListeners();
      // What came in one piece with the handshake would be read before anybody listens: lost, or an error that ends the process.
      socket.pause();
      resolve();
    });
  });
}

function textOf(data: RawData): string {
  // `nodebuffer`, the default: one Buffer.
  return (data as Buffer).toString();
}
