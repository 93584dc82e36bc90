import { describe } from "../../internal/report.ts";
import type { Authorization } from "./environment.ts";
import type { Credentials } from "./sigv4.ts";

/** Both answer from the machine itself. */
const ANSWER_MS = 5000;

export interface ContainerIdentity {
  readonly credentials: Credentials;
  readonly hostId: string;
}

type Container = Extract<Authorization, { by: "container" }>;

/**
 * The task's keys, which expire, and its id: a container's host.
 *
 * @throws Error that says which of the two endpoints failed
 */
export async function identifyContainer({ credentialsUrl, taskUrl }: Container): Promise<ContainerIdentity> {
  const [keys, task] = await Promise.all([
    fetchObject("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", credentialsUrl),
    fetchObject("ECS_CONTAINER_METADATA_URI_V4", taskUrl),
  ]);
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: token } = keys;
  if (!isText(accessKeyId) || !isText(secretAccessKey)) {
    throw new Error("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: the answer has no AccessKeyId and SecretAccessKey");
  }
  // arn:aws:ecs:region:account:task/cluster/id
  const hostId = isText(task["TaskARN"]) ? task["TaskARN"].split(/[:/]/).at(-1) : undefined;
  if (!hostId) {
    throw new Error("ECS_CONTAINER_METADATA_URI_V4: the answer has no TaskARN");
  }
  return { credentials: { accessKeyId, secretAccessKey, sessionToken: isText(token) ? token : undefined }, hostId };
}

async function fetchObject(name: string, url: string): Promise<Record<string, unknown>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) {
      throw new Error(`HTTP status ${response.status}`);
    }
    return Object(await response.json()) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${name}: ${describe(error)}`, { cause: error });
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
