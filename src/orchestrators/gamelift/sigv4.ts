import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "gamelift";
const TERMINATION = "aws4_request";

/**
 * The query parameters that sign a connection. Not the usual SigV4: what is hashed as the canonical request is no more than
 * these fields, sorted and encoded, without method, path and headers.
 *
 * @param at the request's time in epoch milliseconds: the service takes it for a few minutes
 */
export function signQuery(
  fields: Readonly<Record<string, string>>,
  region: string,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  at: number,
): Record<string, string> {
  const time = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/${SERVICE}/${TERMINATION}`;
  const request = createHash("sha256").update(encodeQuery(fields)).digest("hex");
  const key = signingKey(secretAccessKey, date, region, SERVICE);
  return {
    Authorization: "SigV4",
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Signature": hmac(key, `${ALGORITHM}\n${time}\n${scope}\n${request}`).toString("hex"),
    ...(sessionToken && { "X-Amz-Security-Token": sessionToken }),
  };
}

export function signingKey(secret: string, date: string, region: string, service: string): Buffer {
  return [date, region, service, TERMINATION].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
}

/** Sorted, and encoded as the official SDKs do: a space is a plus sign, and nothing but letters, digits and `-._~` is left. */
export function encodeQuery(fields: Readonly<Record<string, string>>): string {
  return Object.keys(fields)
    .sort()
    .map((key) => `${encode(key)}=${encode(fields[key] ?? "")}`)
    .join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
