import { matchMaker } from "@colyseus/core";
import { patch, undoAll, type Method, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";

const KEY = "getCorsHeaders";
const ALLOWED = "Access-Control-Allow-Headers";
const TRACE_HEADERS = ["traceparent", "tracestate"];

/**
 * Pages of other origins may send the trace headers from now on. The undo leaves the `getCorsHeaders` that was there, or
 * the one that the game has set since.
 */
export function allowTraceHeaders(): Undo {
  const { controller } = matchMaker;
  const descriptor = Object.getOwnPropertyDescriptor(controller, KEY);
  let on = true;
  const wrap = (original: Method): Method =>
    function getCorsHeaders(this: unknown, ...args) {
      const answer = original.apply(this, args);
      return on ? (guard("cors", withTraceHeaders, answer) ?? answer) : answer;
    };

  // Games replace the method, as Colyseus' own comment tells them to, and many after instrument(): each is wrapped as it comes.
  const held = { [KEY]: controller[KEY] };
  const undos = [patch(held, KEY, wrap)];
  const get = () => held[KEY];
  const set = (value: typeof controller.getCorsHeaders) => {
    held[KEY] = value;
    undos.push(patch(held, KEY, wrap));
  };
  Object.defineProperty(controller, KEY, { configurable: true, enumerable: true, get, set });
  return () => {
    on = false;
    undoAll(undos);
    if (Object.getOwnPropertyDescriptor(controller, KEY)?.get === get) {
      Object.defineProperty(controller, KEY, { ...descriptor, value: held[KEY] });
    }
  };
}

/** A copy of what the game answers, which replaces Colyseus' defaults key by key. */
function withTraceHeaders(answer: unknown): Record<string, string> {
  const headers = { ...(answer as Record<string, string>) };
  const defaults: Record<string, string> = matchMaker.controller.DEFAULT_CORS_HEADERS;
  // As the game spells it: header names have no case.
  const key = Object.keys(headers).find((name) => name.toLowerCase() === ALLOWED.toLowerCase()) ?? ALLOWED;
  const listed = (headers[key] ?? defaults[key] ?? "").split(",").map((name) => name.trim());
  const known = new Set(listed.map((name) => name.toLowerCase()));
  headers[key] = [...listed, ...TRACE_HEADERS.filter((name) => !known.has(name))].filter(Boolean).join(", ");
  return headers;
}
