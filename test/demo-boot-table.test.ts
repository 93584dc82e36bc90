import { expect, test } from "vitest";
import { drawBoot, drawWait } from "../demo/boot-table.ts";
import { COLD_CAST } from "../demo/expected.ts";
import { wholeStory } from "./_story.ts";

test("draws the boot's phases to scale", () => {
  expect(drawBoot(wholeStory())).toMatchInlineSnapshot(`
    "boot: process start to Ready in 50.0 ms
      phase                         began     took
      gameserver.boot.load        10.0 ms  50.0 ms            ██████████████████████████████████████████
      gameserver.boot.prepare     20.0 ms  50.0 ms                      ████████████████████████████████
      gameserver.boot.listen      30.0 ms  50.0 ms                                 █████████████████████
      agones.connect              40.0 ms  50.0 ms                                           ███████████
      agones.ready                50.0 ms  50.0 ms                                                     █
      agones.wait_for_ready       60.0 ms  50.0 ms                                                     █"
  `);
});

test("draws a boot that somebody waited for on the axis of the wait, and no other one", () => {
  expect(drawWait(wholeStory(COLD_CAST))).toMatchInlineSnapshot(`
    "wait: from the request for a server to the arena in 200 ms
      phase                         began     took
      provision.allocate_server   0.00 ms  50.0 ms  █████████████
      provision.agones_allocate   10.0 ms  50.0 ms    █████████████
      provision.wait_for_ready    20.0 ms  50.0 ms       █████████████
      provision.agones_allocate   30.0 ms  50.0 ms         █████████████
      gameserver.boot             40.0 ms  50.0 ms            █████████████
      gameserver.boot.load        50.0 ms  50.0 ms               █████████████
      gameserver.boot.prepare     60.0 ms  50.0 ms                 █████████████
      gameserver.boot.listen      70.0 ms  50.0 ms                    █████████████
      agones.connect              80.0 ms  50.0 ms                      █████████████
      agones.ready                90.0 ms  50.0 ms                         █████████████
      agones.wait_for_ready        100 ms  50.0 ms                            █████████████
      gameserver.allocated         110 ms  50.0 ms                              █████████████
      gameserver.map_load          120 ms  50.0 ms                                 █████████████
      matchmake arena              130 ms  50.0 ms                                   █████████████
      room.join arena              150 ms  50.0 ms                                         █████████████"
  `);
  expect(drawWait(wholeStory())).toBe(undefined);
  expect(drawWait([])).toBe(undefined);
});

test("says that no boot was received", () => {
  expect(drawBoot([])).toBe("no boot was received");
});
