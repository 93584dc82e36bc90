import { checkString, optional } from "../internal/check.ts";

/** What the services that sign and the game servers that verify have in common. */
export interface SharedSecrets {
  /**
   * Each at least 16 bytes, random: `openssl rand -base64 32`. The first signs, all verify. To rotate, append the new one
   * everywhere, then put it first everywhere, and take the old one out when its carriers have expired.
   */
  readonly secrets: readonly string[];
  /**
   * What the carriers are good for, such as the game's or the fleet's name: those that were signed for another one are not
   * believed.
   *
   * @default none, and only carriers without one are believed
   */
  readonly audience?: string | undefined;
}

export const SECRETS_VARIABLE = "COLYSEUS_OTEL_TRUST_SECRETS";
export const AUDIENCE_VARIABLE = "COLYSEUS_OTEL_TRUST_AUDIENCE";

/** NIST SP 800-131A allows no HMAC key below 112 bits, and what is shorter than this is a word. */
const MIN_SECRET = 16;

/**
 * The secrets, without anything beside them in the object. No message of it ever shows a value: what stands in the wrong
 * place may be a secret.
 *
 * @throws TypeError that names what is wrong
 */
export function checkSecrets(where: string, { secrets, audience }: SharedSecrets): SharedSecrets {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new TypeError(`${where}.secrets must be an array with at least one string, got ${kindOf(secrets)}`);
  }
  for (const [index, secret] of secrets.entries()) {
    checkSecret(`${where}.secrets[${index}]`, secret);
  }
  return Object.freeze({
    secrets: Object.freeze([...(secrets as string[])]),
    audience: optional(audience, (given) => checkString(`${where}.audience`, given)),
  });
}

/**
 * The secrets in COLYSEUS_OTEL_TRUST_SECRETS, with commas between, and the audience in COLYSEUS_OTEL_TRUST_AUDIENCE.
 *
 * @throws TypeError that names the variable
 */
export function secretsFromEnvironment(env: NodeJS.ProcessEnv): SharedSecrets {
  const secrets = (env[SECRETS_VARIABLE] ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  if (secrets.length === 0) {
    throw new TypeError(`${SECRETS_VARIABLE} must hold the secrets of signed contexts, and is not set`);
  }
  for (const [index, secret] of secrets.entries()) {
    checkSecret(`${SECRETS_VARIABLE}[${index}]`, secret);
  }
  return Object.freeze({ secrets: Object.freeze(secrets), audience: env[AUDIENCE_VARIABLE]?.trim() || undefined });
}

/** Keys of an object that may hold secrets. Its values are not shown. */
export function checkSecretKeys(where: string, options: unknown, known: readonly string[]): void {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    throw new TypeError(`${where} must be an object with ${known.join(", ")}, got ${kindOf(options)}`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`${where}: unknown option "${unknown}"; known are ${known.join(", ")}`);
  }
}

function checkSecret(where: string, secret: unknown): void {
  const bytes = typeof secret === "string" ? Buffer.byteLength(secret) : undefined;
  if (bytes === undefined || bytes < MIN_SECRET) {
    const got = bytes === undefined ? kindOf(secret) : `${bytes} bytes`;
    throw new TypeError(`${where} must be a string of at least ${MIN_SECRET} bytes, got ${got}`);
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? `an array of ${value.length}` : value === null ? "null" : typeof value;
}
