import type { Connection } from "./connection.ts";
import type { Fields } from "./frames.ts";

/** False where the message is no good. What went encrypted until now must not go another way, and the token with it. */
export function refresh(connection: Pick<Connection, "refresh">, currentUrl: string, fields: Fields): boolean {
  const { RefreshConnectionEndpoint: endpoint, AuthToken: token } = fields;
  if (typeof endpoint !== "string" || typeof token !== "string" || token === "") {
    return false;
  }
  const protocol = URL.parse(endpoint)?.protocol;
  if (protocol !== "wss:" && (protocol !== "ws:" || !currentUrl.startsWith("ws:"))) {
    return false;
  }
  connection.refresh(endpoint, token);
  return true;
}
