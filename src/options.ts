import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import type { Endpoints } from "./endpoints/admin.ts";
import {
  checkBoolean,
  checkDuration,
  checkKeys,
  checkPort,
  checkShape,
  checkString,
  checkStrings,
  optional,
} from "./internal/check.ts";
import type { Orchestrator } from "./orchestrators/orchestrator.ts";
import { ANNOTATION_KEYS } from "./propagation/annotations.ts";
import { resolveTrust, type ResolvedTrust, type Trust } from "./propagation/trust.ts";
import { resolveSession, type ResolvedSessionOptions, type SessionOptions } from "./session-options.ts";

/** What `instrument()` takes. All optional. */
export interface InstrumentOptions {
  /**
   * Who says when this server may take players: `agones()` from `colyseus-otel/agones`, `gamelift()` from `colyseus-otel/gamelift`.
   *
   * @default none: the boot ends when the server listens
   */
  readonly orchestrator?: Orchestrator;
  /**
   * What a trace context is good for that a player sent, in join options or headers. Contexts of the orchestrator and of
   * the environment are the operator's own and always continued.
   *
   * - `"continue"`: the parent. Of contexts with the sampled flag 500 a second; the others are links, and the root sampler
   *   decides on their traces.
   * - `{ secrets, audience }`: the parent, where the login service has signed it with one of these secrets
   *   (`startSession({ sign })`); else a link. For production. A header cannot be signed. Costs 10 us a join.
   * - `"signed"`: the same, with COLYSEUS_OTEL_TRUST_SECRETS (commas between) and COLYSEUS_OTEL_TRUST_AUDIENCE.
   * - `"link"`: a link.
   * - `"ignore"`: nothing.
   *
   * @default "continue"
   */
  readonly trust?: Trust;
  /**
   * The private admin port with `/metrics`, `/startupz`, `/readyz` and `/livez`; `false` for none. In a pod set the host
   * to `"0.0.0.0"`, so that kubelet and Prometheus reach it, and keep it out of the Fleet's ports: there is no login.
   *
   * @default { host: "127.0.0.1", port: 9464 }
   */
  readonly endpoints?: Partial<Endpoints> | false;
  readonly provisioning?: {
    /**
     * Annotation keys that may hold the context of whoever asked for this server, in order of preference.
     *
     * @default ["traceparent", "opentelemetry.io/trace-context", "tracing.k8s.io/traceparent", "game.kruise.io/traceparent"]
     */
    readonly annotations?: readonly string[];
  };
  /** How players' sessions are told. */
  readonly session?: SessionOptions;
  /**
   * Milliseconds from the beginning of a shutdown until every session that is still open is told with `server_shutdown`
   * and exported, though its room goes on: keep it below the time that the orchestrator leaves you before it kills.
   *
   * @default none: sessions end with their rooms, however long these take
   */
  readonly drainDeadline?: number;
  /**
   * Counts messages and their bytes, each way and by room type: `colyseus.messages` and `colyseus.network.io`. Costs
   * 0.02 us a message; while it is off nothing of it is wrapped.
   *
   * @default false
   */
  readonly messages?: boolean;
  /**
   * Lets web pages of other origins send the headers `traceparent` and `tracestate` with their matchmaking requests, for
   * pages whose own OpenTelemetry sets them: adds both to `Access-Control-Allow-Headers`, also where the game has a
   * `getCorsHeaders` of its own, and allows no further origin. Join options need none of it: they travel in the body.
   *
   * @default false: a browser holds such a request back, and the player cannot join
   */
  readonly cors?: boolean;
  /** @default the global one */
  readonly tracerProvider?: TracerProvider;
  /** @default the global one */
  readonly meterProvider?: MeterProvider;
}

export interface ResolvedOptions extends ResolvedSessionOptions {
  readonly orchestrator: Orchestrator | undefined;
  readonly trust: ResolvedTrust;
  readonly endpoints: Endpoints | undefined;
  readonly annotationKeys: readonly string[];
  readonly messages: boolean;
  readonly cors: boolean;
  readonly drainDeadline: number | undefined;
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
}

const KNOWN = [
  "orchestrator",
  "trust",
  "endpoints",
  "provisioning",
  "session",
  "drainDeadline",
  "messages",
  "cors",
  "tracerProvider",
  "meterProvider",
] as const satisfies (keyof InstrumentOptions)[];

/** Defaults in, errors out. Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveOptions(options: InstrumentOptions): ResolvedOptions {
  checkKeys("instrument", options, KNOWN);
  const { orchestrator, trust = "continue", messages = false, cors = false, tracerProvider, meterProvider } = options;
  return Object.freeze({
    orchestrator: optional(orchestrator, (given) =>
      checkShape<Orchestrator>("orchestrator", given, ["connect", "ready", "shutdown", "close"]),
    ),
    trust: resolveTrust(trust, process.env),
    endpoints: resolveEndpoints(options.endpoints ?? {}),
    messages: checkBoolean("messages", messages),
    cors: checkBoolean("cors", cors),
    ...resolveSession(options.session ?? {}),
    drainDeadline: optional(options.drainDeadline, (given) => checkDuration("drainDeadline", given)),
    annotationKeys: resolveAnnotations(options.provisioning ?? {}),
    tracerProvider: optional(tracerProvider, (given) =>
      checkShape<TracerProvider>("tracerProvider", given, ["getTracer"]),
    ),
    meterProvider: optional(meterProvider, (given) => checkShape<MeterProvider>("meterProvider", given, ["getMeter"])),
  });
}

function resolveEndpoints(endpoints: Partial<Endpoints> | false): Endpoints | undefined {
  if (endpoints === false) {
    return undefined;
  }
  checkKeys("endpoints", endpoints, ["host", "port"]);
  const { host = "127.0.0.1", port = 9464 } = endpoints;
  return { host: checkString("endpoints.host", host), port: checkPort("endpoints.port", port) };
}

function resolveAnnotations(provisioning: NonNullable<InstrumentOptions["provisioning"]>): readonly string[] {
  checkKeys("provisioning", provisioning, ["annotations"]);
  return checkStrings("provisioning.annotations", provisioning.annotations ?? ANNOTATION_KEYS);
}
