import type { SessionCarrier } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { parseToken, tokenOf, type SessionToken } from "../src/propagation/session-token.ts";
import { signToken } from "../src/propagation/signature.ts";
import { CURRENT, FOREIGN } from "./_secrets.ts";
import { startServer } from "./_server.ts";
import { Arena, ARENA, login, play, spanIdOf, tokenIn } from "./_signed.ts";

/** What a player, or somebody between, may make of an honest carrier. */
const HOSTILE: Readonly<Record<string, (honest: SessionCarrier) => object>> = {
  "of no service": (honest) => ({ ...honest, "colyseus-otel": tokenIn(honest) }),
  "signed with a secret of another game": ({ traceparent = "", ...honest }) => ({
    traceparent,
    "colyseus-otel": signToken(tokenIn(honest), traceparent, Date.now() + 60_000, { ...ARENA, secrets: [FOREIGN] }),
  }),
  "for another audience": () => login({ sign: { ...ARENA, audience: "lobby" } }).carrier,
  "for no audience": () => login({ sign: { secrets: [CURRENT] } }).carrier,
  "replayed past its expiry": ({ traceparent = "", ...honest }) => ({
    traceparent,
    "colyseus-otel": signToken(tokenIn(honest), traceparent, Date.now() - 1000, ARENA),
  }),
  "whose expiry was moved": (honest) => ({
    ...honest,
    "colyseus-otel": honest["colyseus-otel"].replace(/:\d{10}:/, ":9999999999:"),
  }),
  "beside a context of somebody else": (honest) => ({ ...honest, traceparent: login().carrier.traceparent }),
  "with another player in it": (honest) => ({
    ...honest,
    "colyseus-otel": honest["colyseus-otel"].replace("ann-7", "bob-7"),
  }),
  "whose context was made a sampled one": (honest) => {
    const traceparent = honest.traceparent!.replace(/01$/, "00");
    return { ...honest, "colyseus-otel": signToken(tokenIn(honest), traceparent, Date.now() + 60_000, ARENA) };
  },
};

test.each(Object.entries(HOSTILE))("a carrier %s is a link, never a parent, never a session", async (_what, attack) => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const attacking = attack(login().carrier);
  const { parent, links, session, player } = await play(game, attacking);
  expect({ parent, links, session, player }).toEqual({
    parent: undefined,
    links: [spanIdOf(attacking)],
    session: "of its own",
    player: undefined,
  });
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=unsigned source=join_options": 1,
    "outcome=unsigned source=session_token": 1,
  });
});

test("a signature that was cut off anywhere, or has more behind it, is a link, and no token at all", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { carrier } = login();
  const token = carrier["colyseus-otel"];
  const cut = [token.slice(0, -1), token.slice(0, -22), token.slice(0, -43), `${token}x`, `${token}:x`, token.slice(1)];
  for (const one of cut) {
    expect(await play(game, { ...carrier, "colyseus-otel": one })).toMatchObject({
      parent: undefined,
      links: [spanIdOf(carrier)],
      session: "of its own",
    });
  }
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=malformed source=session_token": cut.length,
    "outcome=unsigned source=join_options": cut.length,
  });
});

test("a signed session that began a day ago is over, however long its signature is good", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { traceparent = "", ...honest } = login().carrier;
  const yesterday = tokenOf({ ...(parseToken(tokenIn(honest)) as SessionToken), start: Date.now() - 86_401_000 });
  const old = signToken(yesterday, traceparent, Date.now() + 60_000, ARENA);
  const { parent, session } = await play(game, { traceparent, "colyseus-otel": old });
  expect([parent, session]).toEqual([spanIdOf({ traceparent }), "of its own"]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=ignored source=session_token": 1,
  });
});
