import { show } from "../../internal/check.ts";

/** What the service's messages have in common; everything else in them is unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

export const PUSHES = ["CreateGameSession", "UpdateGameSession", "TerminateProcess", "RefreshConnection"] as const;

export type PushAction = (typeof PUSHES)[number];

export type Frame =
  | { readonly is: "answer"; readonly requestId: string; readonly status: number; readonly fields: Fields }
  | { readonly is: "push"; readonly action: PushAction; readonly fields: Fields }
  | {
      readonly is: "fault";
      readonly fault: "not_json" | "unknown_action" | "wrong_type" | "unasked_answer";
      /** For messages. No more than the action: the rest may hold keys and tokens. */
      readonly about?: string;
    };

/** @param asked whether somebody waits for the answer to this request */
export function readFrame(text: string, asked: (requestId: string) => boolean): Frame {
  const fields = parseObject(text);
  if (!fields) {
    return { is: "fault", fault: "not_json" };
  }
  const { Action: action, RequestId: requestId, StatusCode: status } = fields;
  const about = show(action);
  if (typeof requestId === "string" && asked(requestId)) {
    return typeof status === "number"
      ? { is: "answer", requestId, status, fields }
      : { is: "fault", fault: "wrong_type", about };
  }
  const push = PUSHES.find((known) => known === action);
  if (push) {
    return { is: "push", action: push, fields };
  }
  return { is: "fault", fault: requestId ? "unasked_answer" : "unknown_action", about };
}

export function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
