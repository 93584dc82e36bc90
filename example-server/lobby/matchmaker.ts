import type { SessionCarrier } from "colyseus-otel";

export interface MatchRequest {
  readonly ticket: string;
  readonly session: SessionCarrier;
}

export interface Match {
  /** Undefined where the matchmaker has none to name. */
  readonly server?: { readonly name: string; readonly url: string };
}

/** Milliseconds: longer than the matchmaker looks for a server. */
const PATIENCE = 40_000;

/** Asks the matchmaker at `LOBBY_MATCHMAKER`. @throws Error with its own words when it has no match */
export async function askForMatch(request: MatchRequest): Promise<Match> {
  const response = await fetch(`${process.env.LOBBY_MATCHMAKER}/match`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(PATIENCE),
  });
  const answer = (await response.json()) as Match & { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? `the matchmaker says ${response.status}`);
  return answer;
}
