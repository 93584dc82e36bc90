import fc from "fast-check";
import { expect, test } from "vitest";
import { createSlots } from "../src/internal/slots.ts";

test("things that come and go in any order are there as in a Set, each once", () => {
  const step = fc.tuple(fc.constantFrom("add", "delete"), fc.nat(9));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const things = Array.from({ length: 10 }, () => ({ slot: -1 }));
      const slots = createSlots<{ slot: number }>();
      const set = new Set<{ slot: number }>();
      for (const [what, at] of steps) {
        slots[what as "add"](things[at]!);
        set[what as "add"](things[at]!);
      }
      expect([...slots].length).toBe(set.size);
      expect(new Set(slots)).toEqual(set);
      expect(things.filter(({ slot }) => slot >= 0).length).toBe(set.size);
    }),
  );
});

test("a walk over them sees those that leave on the way no more", () => {
  const things = [{ slot: -1 }, { slot: -1 }, { slot: -1 }];
  const slots = createSlots<{ slot: number }>();
  things.forEach((one) => slots.add(one));
  const seen: unknown[] = [];
  for (const one of slots) {
    seen.push(one);
    things.forEach((other) => slots.delete(other));
  }
  expect(seen).toEqual([things[0]]);
});
