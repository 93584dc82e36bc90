import type { ServerProcess, Truth } from "./gamelift-truth.ts";

/** What becomes of the next request of an action. */
export type CallFault =
  /** Carried out, and never answered. */
  | "silence"
  /** Cut before it is carried out. */
  | "cut"
  /** Carried out, and cut instead of an answer. */
  | "cut_after"
  | { readonly status: number }
  /** Carried out, and answered with this. */
  | { readonly text: string }
  /** Carried out, and answered twice: these fields with the request's id go before the answer. */
  | { readonly before: object }
  /** Carried out, and answered later. */
  | { readonly after: Promise<unknown> };

export interface NewGameSession {
  /** @default a new one */
  readonly GameSessionId?: string;
  readonly GameProperties?: Readonly<Record<string, string>>;
  readonly GameSessionData?: string;
  readonly MatchmakerData?: string;
  readonly GameSessionName?: string;
  readonly MaximumPlayerSessionCount?: number;
}

export interface GameLiftSocket extends AsyncDisposable, Truth {
  /** For GAMELIFT_SDK_WEBSOCKET_URL. */
  readonly url: string;
  /** Query of each connection that was asked for, refused ones too. */
  readonly connections: readonly Readonly<Record<string, string>>[];
  /** Sockets that are open now. */
  readonly open: number;
  /** How often each action was asked for. */
  readonly calls: Readonly<Record<string, number>>;
  /** Tokens that open a connection. @default token-1 */
  readonly tokens: Set<string>;
  /** The one process that is there, whatever its state. */
  process(): ServerProcess;
  createGameSession(session?: NewGameSession): string;
  /** Tells of it once more: a message that meets a cut is lost. */
  repeatGameSession(gameSessionId: string): void;
  createPlayerSession(gameSessionId: string, playerData?: string): string;
  updateGameSession(gameSessionId: string, fields: object, reason: string): void;
  terminate(terminationTime?: number): void;
  /** Offers a new token; with `revoke` that of before opens nothing any more. */
  refresh(revoke?: boolean): void;
  /** Anything, over the newest socket. */
  send(text: string | Buffer): void;
  fault(action: string, ...faults: readonly CallFault[]): void;
  /** Answers so many handshakes with an HTTP status. */
  refuse(status: number, times: number): void;
  /** As a network that breaks. */
  cut(): void;
  /** @param timeout in milliseconds, default 5,000 */
  waitFor(what: string, predicate: () => boolean, timeout?: number): Promise<void>;
}
