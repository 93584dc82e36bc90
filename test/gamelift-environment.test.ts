import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { identifyContainer } from "../src/orchestrators/gamelift/container.ts";
import { identifyServer } from "../src/orchestrators/gamelift/environment.ts";

const TOKEN = {
  GAMELIFT_SDK_WEBSOCKET_URL: "wss://eu-central-1.api.amazongamelift.com",
  GAMELIFT_SDK_AUTH_TOKEN: "token-1",
  GAMELIFT_SDK_PROCESS_ID: "proc-1",
  GAMELIFT_SDK_HOST_ID: "host-1",
  GAMELIFT_SDK_FLEET_ID: "fleet-1",
};
const { GAMELIFT_SDK_AUTH_TOKEN: _token, ...UNSIGNED } = TOKEN;
const KEYS = { GAMELIFT_REGION: "eu-central-1", GAMELIFT_ACCESS_KEY: "AKIA", GAMELIFT_SECRET_KEY: "hush-hush" };
const CONTAINER = {
  GAMELIFT_SDK_WEBSOCKET_URL: TOKEN.GAMELIFT_SDK_WEBSOCKET_URL,
  GAMELIFT_SDK_FLEET_ID: "containerfleet-1",
  GAMELIFT_SDK_PROCESS_ID: "ManagedResource",
  GAMELIFT_REGION: "eu-central-1",
  GAMELIFT_COMPUTE_TYPE: "CONTAINER",
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/7",
  ECS_CONTAINER_METADATA_URI_V4: "http://169.254.170.2/v4/7",
};

test("the environment's values go before the options', variable by variable", () => {
  const server = identifyServer(
    { fleetId: "fleet-of-the-options", hostId: "mine" },
    { ...TOKEN, GAMELIFT_SDK_HOST_ID: "" },
  );
  expect(server).toEqual({
    webSocketUrl: TOKEN.GAMELIFT_SDK_WEBSOCKET_URL,
    processId: "proc-1",
    hostId: "mine",
    fleetId: "fleet-1",
    authorization: { by: "token", token: "token-1" },
    tool: { name: undefined, version: undefined },
  });
});

test("a token goes before AWS keys", () => {
  expect(identifyServer({}, { ...TOKEN, ...KEYS }).authorization.by).toBe("token");
  expect(identifyServer({}, { ...UNSIGNED, ...KEYS, GAMELIFT_SESSION_TOKEN: "st" }).authorization).toEqual({
    by: "keys",
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIA", secretAccessKey: "hush-hush", sessionToken: "st" },
  });
});

test("a managed process id is a new one for each process", () => {
  const ids = [0, 1].map(() => identifyServer({}, { ...TOKEN, GAMELIFT_SDK_PROCESS_ID: "ManagedResource" }).processId);
  expect(new Set(ids).size).toBe(2);
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
});

test("a container's keys and host are asked of its own endpoints", () => {
  expect(identifyServer({}, CONTAINER)).toMatchObject({
    hostId: "",
    authorization: {
      by: "container",
      region: "eu-central-1",
      credentialsUrl: "http://169.254.170.2/v2/credentials/7",
      taskUrl: "http://169.254.170.2/v4/7/task",
    },
  });
});

test.each([
  [
    "GAMELIFT_SDK_WEBSOCKET_URL",
    TOKEN,
    undefined,
    /^GAMELIFT_SDK_WEBSOCKET_URL is not set, nor gamelift.server.webSocketUrl/,
  ],
  [
    "GAMELIFT_SDK_WEBSOCKET_URL",
    TOKEN,
    "https://x",
    /^GAMELIFT_SDK_WEBSOCKET_URL .* must be a wss:\/\/ URL, got "https:\/\/x"$/,
  ],
  ["GAMELIFT_SDK_FLEET_ID", TOKEN, undefined, /^GAMELIFT_SDK_FLEET_ID is not set/],
  ["GAMELIFT_SDK_FLEET_ID", TOKEN, "a b", /^GAMELIFT_SDK_FLEET_ID .* got "a b"$/],
  ["GAMELIFT_SDK_HOST_ID", TOKEN, "a/b/c", /^GAMELIFT_SDK_HOST_ID .* got "a\/b\/c"$/],
  ["GAMELIFT_SDK_PROCESS_ID", TOKEN, undefined, /^GAMELIFT_SDK_PROCESS_ID is not set/],
  ["GAMELIFT_SDK_AUTH_TOKEN", TOKEN, undefined, /^neither GAMELIFT_SDK_AUTH_TOKEN nor GAMELIFT_REGION is set/],
  ["GAMELIFT_SECRET_KEY", { ...UNSIGNED, ...KEYS }, undefined, /^GAMELIFT_SECRET_KEY is not set/],
  [
    "ECS_CONTAINER_METADATA_URI_V4",
    CONTAINER,
    undefined,
    /^ECS_CONTAINER_METADATA_URI_V4 is not set, and .* CONTAINER/,
  ],
])("%s missing or wrong is one TypeError that names it (%#)", (name, env, value, message) => {
  const wrong = () => identifyServer({}, { ...env, [name]: value });
  expect(wrong).toThrow(TypeError);
  expect(wrong).toThrow(message);
  expect(wrong).not.toThrow(/hush-hush|token-1/);
});

test("a container is its task's id with the task's keys; an answer without them is one error that names the variable", async () => {
  const answers: Record<string, unknown> = {
    "/keys": { AccessKeyId: "AK", SecretAccessKey: "SK", Token: "ST" },
    "/task": { TaskARN: "arn:aws:ecs:eu-central-1:123:task/cluster/7f3a" },
    "/none": {},
  };
  const server = createServer(({ url }, response) => {
    response.statusCode = answers[url!] ? 200 : 500;
    response.end(JSON.stringify(answers[url!] ?? "broken"));
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (keys: string, task: string) =>
    identifyContainer({ by: "container", region: "r", credentialsUrl: at + keys, taskUrl: at + task });
  expect(await ask("/keys", "/task")).toEqual({
    credentials: { accessKeyId: "AK", secretAccessKey: "SK", sessionToken: "ST" },
    hostId: "7f3a",
  });
  await expect(ask("/none", "/task")).rejects.toThrow(/^AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: the answer has no/);
  await expect(ask("/gone", "/task")).rejects.toThrow("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: Error: HTTP status 500");
  await expect(ask("/keys", "/none")).rejects.toThrow("ECS_CONTAINER_METADATA_URI_V4: the answer has no TaskARN");
  server.close();
});
