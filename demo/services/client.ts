import type { LoginRequest, Match, Pass, Refusal } from "./protocol.ts";

/** The services as the player's machine sees them. */
export interface ServicesClient {
  /** @throws Error with the service's own words when it refuses, or does not answer in time */
  login(request: LoginRequest): Promise<Pass>;
  /** @throws as `login` */
  match(pass: Pass): Promise<Match>;
  /** @throws as `login` */
  logout(pass: Pass): Promise<unknown>;
}

/** Milliseconds: longer than the matchmaker looks for a server. */
const PATIENCE = 40_000;

/** @param unless aborted when there is nobody left to ask */
export function connectServices(url: string, unless: AbortSignal): ServicesClient {
  async function post<Answer>(path: string, body: object): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([AbortSignal.timeout(PATIENCE), unless]),
    });
    const answer = (await response.json()) as Answer | Refusal;
    if (!response.ok) throw new Error(`POST ${path}: ${response.status}, ${(answer as Refusal).error}`);
    return answer as Answer;
  }
  return {
    login: (request) => post("/login", request),
    match: (pass) => post("/match", pass),
    logout: (pass) => post("/logout", pass),
  };
}
