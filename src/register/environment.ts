import { show } from "../internal/check.ts";
import { describe, warn } from "../internal/report.ts";
import type { InstrumentOptions } from "../options.ts";
import type { Orchestrator } from "../orchestrators/orchestrator.ts";
import { AUDIENCE_VARIABLE, SECRETS_VARIABLE } from "../propagation/secrets.ts";
import { resolveTrust, TRUSTS, type Trust } from "../propagation/trust.ts";

const PREFIX = "COLYSEUS_OTEL_";
const KNOWN = [
  ...["ORCHESTRATOR", "TRUST", "ENDPOINTS", "ANNOTATIONS", "SESSION_LINGER"].map((name) => PREFIX + name),
  SECRETS_VARIABLE,
  AUDIENCE_VARIABLE,
];

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export interface Found {
  /** The app has loaded the Agones SDK itself. */
  readonly appUsesAgones: boolean;
  agones(): Orchestrator;
  gamelift(): Orchestrator;
}

/** The options of `instrument()` as COLYSEUS_OTEL_* has them. A bad value is told once, and the default is used. */
export function optionsFromEnvironment(env: NodeJS.ProcessEnv, found: Found): InstrumentOptions {
  for (const name of Object.keys(env)) {
    if (name.startsWith(PREFIX) && !KNOWN.includes(name)) {
      warn(name, `${name} is not known and does nothing; known are ${KNOWN.join(", ")}`);
    }
  }
  const options: Mutable<InstrumentOptions> = { trust: trustFrom(env) };
  const endpoints = endpointsFrom(env);
  if (endpoints !== undefined) {
    options.endpoints = endpoints;
  }
  const annotations = listOf(env[`${PREFIX}ANNOTATIONS`]);
  if (annotations.length > 0) {
    options.provisioning = { annotations };
  }
  const linger = millisecondsFrom(env, `${PREFIX}SESSION_LINGER`);
  if (linger !== undefined) {
    options.session = { linger };
  }
  const orchestrator = orchestratorFrom(env, found);
  if (orchestrator !== "none") {
    options.orchestrator = found[orchestrator]();
  }
  return options;
}

function millisecondsFrom(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const given = env[name];
  if (given === undefined || given === "") {
    return undefined;
  }
  if (/^\d{1,9}$/.test(given)) {
    return Number(given);
  }
  warn(name, `${name} must be whole milliseconds, got ${show(given)}; the default is used`);
  return undefined;
}

/** Who has set secrets wants them to be asked for. Where they are no good, nothing that comes in is believed. */
function trustFrom(env: NodeJS.ProcessEnv): Trust {
  const name = `${PREFIX}TRUST`;
  const fallback = env[SECRETS_VARIABLE] ? "signed" : "continue";
  const trust = oneOf(env, name, TRUSTS, `${fallback} is used`) ?? fallback;
  if (trust !== "signed") {
    return trust;
  }
  try {
    return resolveTrust(trust, env);
  } catch (error) {
    warn(name, `${describe(error)}; link is used`);
    return "link";
  }
}

/**
 * Agones sets AGONES_SDK_GRPC_PORT in every container of a GameServer. GameLift is used when it is asked for: whoever is
 * on a fleet without us has a client of their own, and a process has one connection.
 */
function orchestratorFrom(env: NodeJS.ProcessEnv, { appUsesAgones }: Found): "agones" | "gamelift" | "none" {
  const name = `${PREFIX}ORCHESTRATOR`;
  const inPod = Boolean(env["AGONES_SDK_GRPC_PORT"]);
  const instead = inPod ? "agones is used, because AGONES_SDK_GRPC_PORT is set" : "none is used";
  const chosen = oneOf(env, name, ["agones", "gamelift", "none"], instead);
  if (chosen) {
    return chosen;
  }
  if (inPod && appUsesAgones) {
    // Two callers: ours would say Ready when the port is bound, and players would come before the app is prepared.
    warn(
      name,
      `this program uses the Agones SDK itself, so Agones is left to it and allocations are not traced; ${name}=agones lets colyseus-otel say Ready as soon as the server listens`,
    );
    return "none";
  }
  return inPod ? "agones" : "none";
}

function oneOf<T extends string>(
  env: NodeJS.ProcessEnv,
  name: string,
  known: readonly T[],
  instead: string,
): T | undefined {
  const value = env[name]?.trim();
  if (!value || known.includes(value as T)) {
    return (value || undefined) as T | undefined;
  }
  warn(name, `${name}=${JSON.stringify(value)} is none of ${known.join(", ")}; ${instead}`);
  return undefined;
}

/** `off`, `9464`, `0.0.0.0:9464` or `[::]:9464`. */
function endpointsFrom(env: NodeJS.ProcessEnv): InstrumentOptions["endpoints"] {
  const name = `${PREFIX}ENDPOINTS`;
  const value = env[name]?.trim();
  if (!value) {
    return undefined;
  }
  if (value === "off") {
    return false;
  }
  const [, ipv6, host = ipv6, digits] = /^(?:(?:\[([\da-f:.]+)\]|([^\s:[\]]+)):)?(\d{1,5})$/i.exec(value) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    warn(name, `${name}=${JSON.stringify(value)} is no port, host:port or off; 127.0.0.1:9464 is used`);
    return undefined;
  }
  return host === undefined ? { port } : { host, port };
}

function listOf(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
