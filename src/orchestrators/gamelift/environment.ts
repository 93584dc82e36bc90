import { randomUUID } from "node:crypto";
import { show } from "../../internal/check.ts";
import type { Credentials } from "./sigv4.ts";

/** What an Anywhere fleet's server is told by hand. The environment's values go before these, as in the official SDKs. */
export interface ServerParameters {
  /** GAMELIFT_SDK_WEBSOCKET_URL */
  readonly webSocketUrl?: string;
  /** GAMELIFT_SDK_AUTH_TOKEN; goes before the AWS keys */
  readonly authToken?: string;
  /** GAMELIFT_SDK_PROCESS_ID: another one for each start */
  readonly processId?: string;
  /** GAMELIFT_SDK_HOST_ID: the compute's name */
  readonly hostId?: string;
  /** GAMELIFT_SDK_FLEET_ID */
  readonly fleetId?: string;
  /** GAMELIFT_REGION */
  readonly region?: string;
  /** GAMELIFT_ACCESS_KEY */
  readonly accessKeyId?: string;
  /** GAMELIFT_SECRET_KEY */
  readonly secretAccessKey?: string;
  /** GAMELIFT_SESSION_TOKEN */
  readonly sessionToken?: string;
}

/** How a server says who it is. */
export type Authorization =
  | { readonly by: "token"; readonly token: string }
  | { readonly by: "keys"; readonly region: string; readonly credentials: Credentials }
  /** Keys and host come from the container's own endpoints, anew for each connection. */
  | { readonly by: "container"; readonly region: string; readonly credentialsUrl: string; readonly taskUrl: string };

export interface ServerIdentity {
  readonly webSocketUrl: string;
  readonly processId: string;
  /** Empty where only the container knows it. */
  readonly hostId: string;
  readonly fleetId: string;
  readonly authorization: Authorization;
  /** Who started the SDK for whom: SdkToolName and SdkToolVersion. */
  readonly tool: { readonly name: string | undefined; readonly version: string | undefined };
}

export const PARAMETERS = {
  webSocketUrl: "GAMELIFT_SDK_WEBSOCKET_URL",
  authToken: "GAMELIFT_SDK_AUTH_TOKEN",
  processId: "GAMELIFT_SDK_PROCESS_ID",
  hostId: "GAMELIFT_SDK_HOST_ID",
  fleetId: "GAMELIFT_SDK_FLEET_ID",
  region: "GAMELIFT_REGION",
  accessKeyId: "GAMELIFT_ACCESS_KEY",
  secretAccessKey: "GAMELIFT_SECRET_KEY",
  sessionToken: "GAMELIFT_SESSION_TOKEN",
} as const satisfies Record<keyof ServerParameters, string>;

/** What a process id is in a fleet of containers without an agent: each process makes its own. */
const MANAGED = "ManagedResource";
const CREDENTIALS_HOST = "http://169.254.170.2";

const ID = /^[a-zA-Z0-9.-]{1,256}$/;
const COMPUTE = /^[a-zA-Z0-9-]+(\/[a-zA-Z0-9-]+)?$/;

/** @throws TypeError that names the variable which is missing or of the wrong form, and shows no secret */
export function identifyServer(parameters: ServerParameters, env: NodeJS.ProcessEnv): ServerIdentity {
  const read = (name: keyof ServerParameters) => env[PARAMETERS[name]] || parameters[name] || "";
  const need = (name: keyof ServerParameters, form?: RegExp) => {
    const value = read(name);
    if (value === "") {
      throw new TypeError(`${PARAMETERS[name]} is not set, nor gamelift.server.${name}: is this a GameLift fleet?`);
    }
    if (form && !form.test(value)) {
      throw new TypeError(
        `${PARAMETERS[name]} (gamelift.server.${name}) must match ${form.source}, got ${show(value)}`,
      );
    }
    return value;
  };
  const webSocketUrl = checkWebSocketUrl(need("webSocketUrl"));
  const authorization = authorize(read, need, env);
  return {
    webSocketUrl,
    processId: env[PARAMETERS.processId] === MANAGED ? randomUUID() : need("processId"),
    hostId: authorization.by === "container" ? "" : need("hostId", COMPUTE),
    fleetId: need("fleetId", ID),
    authorization,
    tool: { name: env["GAMELIFT_SDK_TOOL_NAME"] || undefined, version: env["GAMELIFT_SDK_TOOL_VERSION"] || undefined },
  };
}

function authorize(
  read: (name: keyof ServerParameters) => string,
  need: (name: keyof ServerParameters) => string,
  env: NodeJS.ProcessEnv,
): Authorization {
  const token = read("authToken");
  if (token !== "") {
    return { by: "token", token };
  }
  const region = read("region");
  if (region === "") {
    throw new TypeError(
      `neither ${PARAMETERS.authToken} nor ${PARAMETERS.region} is set: a server needs a token, or a region and AWS keys`,
    );
  }
  if (env["GAMELIFT_COMPUTE_TYPE"] !== "CONTAINER") {
    const [accessKeyId, secretAccessKey] = [need("accessKeyId"), need("secretAccessKey")];
    return {
      by: "keys",
      region,
      credentials: { accessKeyId, secretAccessKey, sessionToken: read("sessionToken") || undefined },
    };
  }
  return {
    by: "container",
    region,
    credentialsUrl: `${CREDENTIALS_HOST}${ofContainer(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")}`,
    taskUrl: `${ofContainer(env, "ECS_CONTAINER_METADATA_URI_V4")}/task`,
  };
}

function ofContainer(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) {
    throw new TypeError(`${name} is not set, and GAMELIFT_COMPUTE_TYPE says CONTAINER: ECS sets it in its tasks`);
  }
  return value;
}

function checkWebSocketUrl(value: string): string {
  const protocol = URL.parse(value)?.protocol;
  if (protocol !== "wss:" && protocol !== "ws:") {
    throw new TypeError(
      `${PARAMETERS.webSocketUrl} (gamelift.server.webSocketUrl) must be a wss:// URL, got ${show(value)}`,
    );
  }
  return value;
}
