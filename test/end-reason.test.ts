import { expect, test } from "vitest";
import { endReason, endType } from "../src/sessions/end-reason.ts";

const stay = { joined: true, expired: false, queue: false, crashed: false, closing: false };

test.each([
  [4000, stay, "client_quit", "graceful"],
  [1000, stay, "client_quit", "graceful"],
  [1000, { ...stay, queue: true }, "moved_on", "graceful"],
  [4001, stay, "server_shutdown", "unknown"],
  [4010, { ...stay, closing: true }, "server_restart", "unknown"],
  [4010, stay, "connection_lost", "connection_failure"],
  [1001, stay, "connection_lost", "connection_failure"],
  [1005, stay, "connection_lost", "connection_failure"],
  [1006, stay, "connection_lost", "connection_failure"],
  [undefined, stay, "connection_lost", "connection_failure"],
  [4003, stay, "timeout", "connection_failure"],
  [1006, { ...stay, expired: true }, "timeout", "connection_failure"],
  [4002, stay, "server_error", "unknown"],
  [4002, { ...stay, joined: false }, "join_failed", "unknown"],
  [1006, { ...stay, joined: false }, "join_failed", "unknown"],
  [4321, stay, "unknown", "unknown"],
  [4001, { ...stay, crashed: true }, "crash", "crash"],
  [4000, { ...stay, crashed: true }, "crash", "crash"],
])("close code %s of %o ends the session as %s, which is %s", (code, departure, reason, type) => {
  expect(endReason({ code, ...departure })).toBe(reason);
  expect(endType(reason)).toBe(type);
});
