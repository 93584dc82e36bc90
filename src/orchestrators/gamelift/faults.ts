import { warn } from "../../internal/report.ts";

/** What went wrong on the wire: the label `kind` of `gameserver.orchestrator.faults`. */
export type Fault = keyof typeof SAYS;

const SAYS = {
  not_json: "GameLift sent a message that is no JSON object, it was left out",
  unknown_action: "GameLift sent a message that this version does not know, it was left out",
  wrong_type: "GameLift sent a message whose fields are of the wrong type",
  unasked_answer: "GameLift answered a request that nobody waits for: it came too late, or never from here",
  refused: "GameLift refused a request",
  service_error: "GameLift failed to answer a request",
  timeout: "GameLift did not answer a request in time",
  cut: "the connection to GameLift was cut, another one is made",
  unreachable: "GameLift cannot be reached, it is tried again",
} as const;

/** Longest part of a message that is not ours. */
const MAX_DETAIL = 200;

/** Counts each; says one line a minute of each kind. */
export type TellFault = (kind: Fault, detail?: string) => void;

export function createFaults(count: (kind: Fault) => void): TellFault {
  return (kind, detail) => {
    count(kind);
    const more = detail?.replaceAll(/\s+/g, " ").slice(0, MAX_DETAIL);
    warn(`gamelift ${kind}`, more === undefined ? SAYS[kind] : `${SAYS[kind]}: ${more}`);
  };
}
