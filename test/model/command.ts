import fc from "fast-check";
import type { Model } from "./model.ts";
import { settle } from "./rest.ts";
import type { World } from "./world.ts";

export type Command = fc.AsyncCommand<Model, World>;

/** What was done, and to whom: to be told to the model, once it has happened in the world. */
type Act<T, P> = (model: Model, world: World, target: T, given: P) => Promise<void>;

export const NOTHING = fc.constant(undefined);

/** Run so far, in all stories. */
export const executed = { commands: 0 };

/**
 * One thing that happens to one of the candidates; while there are none, it cannot. Whatever it was, telemetry must say
 * the model's numbers before the next.
 */
export function command<T, P>(
  name: string,
  given: fc.Arbitrary<P>,
  candidates: (model: Model, given: P) => readonly T[],
  act: Act<T, P>,
): fc.Arbitrary<Command> {
  return fc.tuple(fc.nat(99), given).map(([pick, chosen]) => ({
    check: (model) => candidates(model as Model, chosen).length > 0,
    async run(model, world) {
      const among = candidates(model, chosen);
      await act(model, world, among[pick % among.length]!, chosen);
      executed.commands += 1;
      await settle(model, world);
    },
    toString: () => `${name}(${fc.stringify(pick)}, ${fc.stringify(chosen)})`,
  }));
}
