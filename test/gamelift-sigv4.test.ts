import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeQuery, signingKey, signQuery } from "../src/orchestrators/gamelift/sigv4.ts";

const KEYS = { accessKeyId: "testAccessKey", secretAccessKey: "testSecretKey", sessionToken: "testSessionToken" };
const AT = Date.UTC(2024, 7, 5, 10, 0, 0, 321);

// AWS General Reference, "Deriving the signing key": secret wJalr...EXAMPLEKEY, 20150830, us-east-1, iam.
test("the signing key is that of AWS's published example", () => {
  const key = signingKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam");
  expect(key.toString("hex")).toBe("c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
});

// The vector of the official Go SDK's own test (v5.6.0, server/internal/security/sigv4_utility_test.go).
test("the signature is that of the official SDK's vector", () => {
  expect(signQuery({ param1: "value1", param2: "value2" }, "us-east-1", KEYS, AT)).toEqual({
    Authorization: "SigV4",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "testAccessKey/20240805/us-east-1/gamelift/aws4_request",
    "X-Amz-Date": "20240805T100000Z",
    "X-Amz-Signature": "2601fe291f4b43a63f6ffb0e1d9085a1edbaa2a866c96511e153af3408bfe771",
    "X-Amz-Security-Token": "testSessionToken",
  });
});

test("a server's signature is what the steps of AWS's documentation give, one by one", () => {
  const fields = { pID: "proc-1", FleetId: "fleet-1", ComputeId: "custom/host 7" };
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const kDate = hmac("AWS4testSecretKey", "20240805");
  const kRegion = hmac(kDate, "eu-central-1");
  const kService = hmac(kRegion, "gamelift");
  const kSigning = hmac(kService, "aws4_request");
  const request = createHash("sha256").update("ComputeId=custom%2Fhost+7&FleetId=fleet-1&pID=proc-1").digest("hex");
  const toSign = `AWS4-HMAC-SHA256\n20240805T100000Z\n20240805/eu-central-1/gamelift/aws4_request\n${request}`;

  const signed = signQuery(fields, "eu-central-1", { ...KEYS, sessionToken: undefined }, AT);

  expect(signed["X-Amz-Signature"]).toBe(hmac(kSigning, toSign).toString("hex"));
  expect(signed).not.toHaveProperty("X-Amz-Security-Token");
});

test("what is encoded comes out of a query as it went in, and leaves only unreserved signs", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ unit: "binary-ascii" })),
      (fields) => {
        const query = encodeQuery(fields);
        expect(query).toMatch(/^[\w\-.~%+&=]*$/);
        expect(Object.fromEntries(new URLSearchParams(query))).toEqual({ ...fields });
      },
    ),
  );
});
