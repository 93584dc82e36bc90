import { randomUUID } from "node:crypto";
import { identifyContainer } from "./container.ts";
import type { Authorization, ServerIdentity } from "./environment.ts";
import { encodeQuery, signQuery, type Credentials } from "./sigv4.ts";

/** The protocol is that of the official SDKs of this version. */
export const SDK = { version: "5.6.0", language: "NodeJS" } as const;

/** Where to connect, and by which right. */
export interface Endpoint {
  readonly url: string;
  readonly authorization: Authorization;
  /** The same for each attempt. */
  readonly idempotencyToken: string;
}

export function endpointOf(url: string, authorization: Authorization): Endpoint {
  return { url, authorization, idempotencyToken: randomUUID() };
}

/** The address with all that the service wants to know: signed anew each time, as signatures and a container's keys expire. */
export async function addressOf({ url, authorization, idempotencyToken }: Endpoint, server: ServerIdentity) {
  const { hostId, signed } = await authorize(authorization, server);
  const query = encodeQuery({
    pID: server.processId,
    sdkVersion: SDK.version,
    sdkLanguage: SDK.language,
    ComputeId: hostId,
    FleetId: server.fleetId,
    IdempotencyToken: idempotencyToken,
    ...signed,
  });
  return { url: `${url}${url.includes("?") ? "&" : "?"}${query}`, hostId };
}

async function authorize(
  authorization: Authorization,
  server: ServerIdentity,
): Promise<{ hostId: string; signed: Record<string, string> }> {
  switch (authorization.by) {
    case "token":
      return { hostId: server.hostId, signed: { Authorization: authorization.token } };
    case "keys":
      return {
        hostId: server.hostId,
        signed: sign(server, server.hostId, authorization.region, authorization.credentials),
      };
    case "container": {
      const { hostId, credentials } = await identifyContainer(authorization);
      return { hostId, signed: sign(server, hostId, authorization.region, credentials) };
    }
  }
}

function sign({ processId, fleetId }: ServerIdentity, hostId: string, region: string, credentials: Credentials) {
  return signQuery({ ComputeId: hostId, FleetId: fleetId, pID: processId }, region, credentials, Date.now());
}
