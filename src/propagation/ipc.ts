import type { SpanContext } from "@opentelemetry/api";
import { languageFromHeaders } from "./headers.ts";
import { parseToken, tokenOf, type SessionToken } from "./session-token.ts";
import { ownValue, parseTraceparent, withTraceFields, type Extraction } from "./traceparent.ts";

/** What one Colyseus process tells another about the request that it passes on. */
export interface IpcCarrier {
  /** The active span: the matchmaking request, or that of server code. */
  readonly parent: SpanContext | undefined;
  /** Set where a player's request is on its way. */
  readonly journey: IpcJourney | undefined;
  /** Sessions that move from a QueueRoom, by Colyseus' sessionId. */
  readonly queued: ReadonlyMap<string, SpanContext>;
}

export interface IpcJourney {
  /** The player's own context, where it was continued. */
  readonly player: SpanContext | undefined;
  readonly token: SessionToken | undefined;
  /** The token was signed, and its signature is good. */
  readonly signed: boolean;
  /** `session.started` of whoever began the token's session. */
  readonly root: SpanContext | undefined;
  /** Language that the request asks for. */
  readonly locale: string | undefined;
}

/** A match room has no more players than this: more are not read. */
const MAX_QUEUED = 1000;
const NOTHING: IpcCarrier = { parent: undefined, journey: undefined, queued: new Map() };

/**
 * A copy of the message `[method, requestId, args]` with a fourth element: both Colyseus lines read three, and options as
 * a carrier would be seen by the game.
 */
export function ipcMessageWithCarrier(message: readonly unknown[], { parent, journey, queued }: IpcCarrier): unknown[] {
  const carrier = {
    ...fieldsOf(parent),
    ...(journey && {
      journey: {
        player: fieldsOf(journey.player),
        root: fieldsOf(journey.root),
        locale: journey.locale,
        signed: journey.signed,
        ...(journey.token && { session: tokenOf(journey.token) }),
      },
    }),
    ...(queued.size > 0 && { queued: Object.fromEntries([...queued].map(([id, root]) => [id, fieldsOf(root)])) }),
  };
  return [...message, carrier];
}

/** The twin of {@link ipcMessageWithCarrier}. A message of a process without us has no carrier; one of anybody else's throws nothing. */
export function carrierFromIpcMessage(message: unknown): IpcCarrier {
  const carrier: unknown = Array.isArray(message) ? ownValue(message, "3") : undefined;
  if (carrier === undefined) {
    return NOTHING;
  }
  const journey = ownValue(carrier, "journey");
  return {
    parent: contextFrom(carrier),
    journey: isObject(journey) ? journeyFrom(journey) : undefined,
    queued: queuedFrom(ownValue(carrier, "queued")),
  };
}

/** The refusal that an answer `[code, data, { refusal }]` tells. */
export function refusalFromIpcAnswer(answer: unknown): unknown {
  return Array.isArray(answer) ? ownValue(ownValue(answer, "2"), "refusal") : undefined;
}

function journeyFrom(journey: object): IpcJourney {
  const token = parseToken(ownValue(journey, "session"));
  return {
    player: contextFrom(ownValue(journey, "player")),
    root: contextFrom(ownValue(journey, "root")),
    token: typeof token === "string" ? undefined : token,
    signed: ownValue(journey, "signed") === true,
    locale: languageFrom(ownValue(journey, "locale")),
  };
}

function languageFrom(value: unknown): string | undefined {
  return languageFromHeaders({ "accept-language": value });
}

function queuedFrom(queued: unknown): Map<string, SpanContext> {
  const found = new Map<string, SpanContext>();
  for (const id of isObject(queued) ? Object.keys(queued).slice(0, MAX_QUEUED) : []) {
    const root = contextFrom(ownValue(queued, id));
    if (root) {
      found.set(id, root);
    }
  }
  return found;
}

function fieldsOf(spanContext: SpanContext | undefined): object {
  return spanContext ? withTraceFields({}, spanContext) : {};
}

function contextFrom(carrier: unknown): SpanContext | undefined {
  const extraction: Extraction = parseTraceparent(ownValue(carrier, "traceparent"), ownValue(carrier, "tracestate"));
  return typeof extraction === "string" ? undefined : extraction;
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === "object";
}
