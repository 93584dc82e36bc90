import { unlessAborted } from "../patience.ts";

/** The part of a `GameLiftClient` that is used. By shape: an optional peer's types do not belong into the package's. */
export interface GameLiftSender {
  send(command: never, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}

/** A game session or its placement: the fields that are used of either. */
export interface GameSession {
  readonly GameSessionId?: string;
  readonly Status?: string;
  readonly StatusReason?: string;
  readonly IpAddress?: string;
  readonly DnsName?: string;
  readonly Port?: number;
  readonly Location?: string;
  readonly GameSessionRegion?: string;
  readonly ComputeName?: string;
  readonly GameProperties?: readonly { readonly Key?: string; readonly Value?: string }[];
}

/** What AWS answers, by the command's name. */
interface Answers {
  readonly CreateGameSession: { readonly GameSession?: GameSession };
  readonly DescribeGameSessions: { readonly GameSessions?: readonly GameSession[] };
  readonly TerminateGameSession: unknown;
  readonly StartGameSessionPlacement: { readonly GameSessionPlacement?: GameSession };
  readonly DescribeGameSessionPlacement: { readonly GameSessionPlacement?: GameSession };
  readonly StopGameSessionPlacement: unknown;
}

/** One call. Rejects with the client's error, with the signal's reason, or with {@link Unanswered}. */
export type Call = <Name extends keyof Answers>(name: Name, input: object) => Promise<Answers[Name]>;

export interface Api {
  /** Calls that end with the signal, and after `left` milliseconds. */
  within(limits: { readonly signal: AbortSignal; left(): number }): Call;
}

/** The deadline came before the answer. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
}

type Commands = Readonly<Record<`${keyof Answers}Command`, new (input: object) => object>>;

export function createApi(client: GameLiftSender): Api {
  const loading = loadCommands();
  loading.catch(() => {});
  return {
    within: ({ signal, left }) => {
      return async function call<Name extends keyof Answers>(name: Name, input: object) {
        const Command = (await unlessAborted(loading, signal))[`${name}Command` as keyof Commands];
        const late = new AbortController();
        const timer = setTimeout(() => late.abort(new Unanswered(`no answer to ${name} inside the deadline`)), left());
        const abortSignal = AbortSignal.any([signal, late.signal]);
        try {
          const answer = client.send(new Command(input) as never, { abortSignal });
          return (await unlessAborted(answer, abortSignal)) as Answers[Name];
        } finally {
          clearTimeout(timer);
        }
      };
    },
  };
}

/** Loads the peer only now: the login service of the same program needs none of it. */
async function loadCommands(): Promise<Commands> {
  try {
    return (await import("@aws-sdk/client-gamelift")) as unknown as Commands;
  } catch (cause) {
    const name = "@aws-sdk/client-gamelift";
    throw new Error(`gamelift() of colyseus-otel/backend needs a package: npm install ${name}`, { cause });
  }
}
