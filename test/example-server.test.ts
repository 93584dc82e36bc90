import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { allocatedMap, placedMap } from "../example-server/allocation.ts";
import { tileAt, type Grid } from "../example-server/arena/grid.ts";
import { headingFormat } from "../example-server/arena/heading-format.ts";
import { mapForRoom } from "../example-server/arena/loaded-map.ts";
import { findPath } from "../example-server/arena/path.ts";
import { Pilot } from "../example-server/arena/pilot.ts";
import { seededRandom } from "../example-server/arena/random.ts";
import * as arena from "../example-server/arena/simulation.ts";
import { loadArenaMap, parseArenaMap, type ArenaMap } from "../example-server/arena/tiled-map.ts";
import { arenaMap } from "../example-server/game.ts";
import { mintTicket, verifyTicket } from "../example-server/tickets.ts";

// A test breaks a valid map anywhere in it.
// oxlint-disable-next-line typescript/no-explicit-any
type Tiled = Record<string, any>;

const SMALL = ["####", "#..#", "####"];

function tiled(rows: readonly string[] = SMALL): Tiled {
  const [width, height] = [rows[0]?.length ?? 0, rows.length];
  const data = rows.flatMap((row) => Array.from(row, (tile) => (tile === "#" ? 2 : 0)));
  const walls: Tiled = { type: "tilelayer", name: "walls", width, height, data };
  const spawns: Tiled = {
    type: "objectgroup",
    name: "spawns",
    objects: [{ x: 48, y: 48, point: true }],
  };
  return {
    type: "map",
    orientation: "orthogonal",
    infinite: false,
    width,
    height,
    tilewidth: 32,
    tileheight: 32,
    layers: [walls, spawns],
  };
}

function base64(gids: readonly number[]): string {
  return Buffer.from(Uint32Array.from(gids).buffer).toString("base64");
}

function arenaOf(rows: readonly string[]): ArenaMap {
  return parseArenaMap("test", tiled(rows));
}

function fighterAt(x: number, y: number): arena.Fighter {
  return {
    x,
    y,
    facing: 0,
    health: arena.FULL_HEALTH,
    score: 0,
    shots: 0,
    controls: new arena.Controls(),
  };
}

describe("the Tiled map", () => {
  test("crossfire is parsed into a collision grid with its spawns on open floor", async () => {
    const map = await loadArenaMap("crossfire");
    expect(map).toMatchObject({ name: "crossfire", width: 48, height: 32 });
    expect(map.solid).toHaveLength(48 * 32);
    expect(map.solid.reduce((sum, tile) => sum + tile)).toBe(382);
    expect(map.spawns).toHaveLength(8);
    expect(map.spawns.map((spawn) => map.solid[tileAt(map, spawn)])).toEqual(Array(8).fill(0));
  });

  test("a layer in base64 gives the same grid as the same layer in numbers", () => {
    const encoded = tiled();
    encoded.layers[0] = {
      ...encoded.layers[0],
      encoding: "base64",
      compression: "",
      data: base64(encoded.layers[0].data),
    };
    expect(parseArenaMap("test", encoded)).toEqual(parseArenaMap("test", tiled()));
  });

  test("a flipped wall tile is still a wall", () => {
    const map = tiled();
    map.layers[0].data[0] = 0x80000002;
    expect(parseArenaMap("test", map).solid[0]).toBe(1);
  });

  test.each<readonly [string, (map: Tiled) => void, string]>([
    ["is a tileset", (map) => (map.type = "tileset"), 'map "test": type is "tileset", expected "map"'],
    ["is isometric", (map) => (map.orientation = "isometric"), 'orientation is "isometric", expected "orthogonal"'],
    ["has no edge", (map) => (map.infinite = true), "infinite maps have no edge"],
    ["has half a tile", (map) => (map.width = 3.5), "width: is 3.5, expected a whole number"],
    ["is far too big", (map) => (map.height = 1e9), "height: is 1000000000, expected a whole number"],
    ["has no layers", (map) => delete map.layers, "layers: is not an array"],
    ["has a broken layer", (map) => (map.layers[0] = null), "layer 0: is not an object"],
    ["has no walls", (map) => map.layers.shift(), 'has no tilelayer named "walls"'],
    ["has no spawns layer", (map) => map.layers.pop(), 'has no objectgroup named "spawns"'],
    [
      "has walls of another size",
      (map) => (map.layers[0].width = 5),
      'layer "walls": is 5 x 3 tiles, the map is 4 x 3',
    ],
    ["lacks a tile", (map) => map.layers[0].data.pop(), 'layer "walls": data has 11 tiles, expected 12'],
    ["has a tile that is no id", (map) => (map.layers[0].data[4] = "x"), 'tile 4 is "x", expected a global tile id'],
    ["has an unknown encoding", (map) => (map.layers[0].encoding = "xml"), 'encoding "xml" is not supported'],
    [
      "is compressed",
      (map) => Object.assign(map.layers[0], { encoding: "base64", compression: "zstd", data: "" }),
      'compression "zstd" is not supported',
    ],
    [
      "has base64 that is none",
      (map) => Object.assign(map.layers[0], { encoding: "base64", data: "a*b" }),
      "data is not base64",
    ],
    [
      "has base64 that is cut",
      (map) => Object.assign(map.layers[0], { encoding: "base64", data: base64([1, 1]) }),
      "data has 2 tiles, expected 12",
    ],
    ["is in chunks", (map) => (map.layers[0].chunks = []), "has chunks"],
    ["has nobody to spawn", (map) => (map.layers[1].objects = []), "has no objects"],
    ["has a spawn without a place", (map) => (map.layers[1].objects[0].x = null), "object 0: x: is not a number"],
    [
      "has a spawn in a wall",
      (map) => (map.layers[1].objects[0].y = 0),
      "object 0: is inside a wall (column 1, row 0)",
    ],
    [
      "has a spawn outside",
      (map) => (map.layers[1].objects[0].x = -1),
      "object 0: is outside the map (column -1, row 1)",
    ],
  ])("a map that %s is refused with what and where", (_, spoil, message) => {
    const map = tiled();
    spoil(map);
    expect(() => parseArenaMap("test", map)).toThrow(message);
  });

  test("a map whose spawns are cut off from each other is refused", () => {
    const map = tiled(["#####", "#.#.#", "#####"]);
    map.layers[1].objects.push({ x: 3 * 32, y: 32 });
    expect(() => parseArenaMap("test", map)).toThrow("object 1: cannot be reached from object 0 (column 3, row 1)");
  });

  test("a map name cannot leave the maps folder", async () => {
    await expect(loadArenaMap("../tickets")).rejects.toThrow('map "../tickets": a name has only a-z, 0-9 and -');
    await expect(loadArenaMap("nowhere")).rejects.toThrow('map "nowhere": cannot be read');
  });

  test("the allocation names the map by annotation, else by label, else it is crossfire", () => {
    const labelsMap = [["arena.map", "from-label"]] as const;
    expect(
      allocatedMap({
        objectMeta: { labelsMap, annotationsMap: [["arena.map", "from-annotation"]] },
      }),
    ).toBe("from-annotation");
    expect(allocatedMap({ objectMeta: { labelsMap, annotationsMap: [] } })).toBe("from-label");
    expect(allocatedMap({})).toBe("crossfire");
  });

  test("is named by the game property on GameLift, else crossfire", () => {
    expect(placedMap({ GameProperties: { "arena.map": "from-property" } })).toBe("from-property");
    expect(placedMap({ GameProperties: {} })).toBe("crossfire");
  });
});

describe("the map of the next room", () => {
  afterEach(() => {
    Object.assign(arenaMap, { current: undefined, opening: undefined });
  });

  test("is the one the server has loaded", async () => {
    arenaMap.current = arenaOf(SMALL);
    expect(await mapForRoom()).toBe(arenaMap.current);
  });

  test("is the one an allocation is loading, also when an older one is there", async () => {
    const { promise, resolve } = Promise.withResolvers<ArenaMap>();
    Object.assign(arenaMap, { current: arenaOf(SMALL), opening: promise });
    const asked = mapForRoom();
    const allocated = arenaOf(SMALL);
    resolve(allocated);
    expect(await asked).toBe(allocated);
  });
});

describe("the way through the arena", () => {
  const grids = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      solid: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 1 }),
      start: fc.nat(width * height - 1),
      goal: fc.nat(width * height - 1),
    }),
  );

  function touch(grid: Grid, a: number, b: number): boolean {
    const columns = Math.abs((a % grid.width) - (b % grid.width));
    return columns + Math.abs(Math.floor(a / grid.width) - Math.floor(b / grid.width)) === 1;
  }

  // Deliberately naive, and nothing like the search it judges: grow the set until it stops growing.
  function distances(grid: Grid, start: number): ReadonlyMap<number, number> {
    const found = new Map(grid.solid[start] === 0 ? [[start, 0]] : []);
    for (let size = -1, far = 1; size !== found.size; far++) {
      size = found.size;
      const reached = [...found.keys()];
      for (const [tile, solid] of grid.solid.entries()) {
        if (solid === 0 && !found.has(tile) && reached.some((other) => touch(grid, tile, other))) found.set(tile, far);
      }
    }
    return found;
  }

  test("is found exactly when a flood fill reaches the goal, and is no longer than it must be", () => {
    fc.assert(
      fc.property(grids, ({ start, goal, ...grid }) => {
        const path = findPath(grid, start, new Set([goal]));
        const distance = distances(grid, start).get(goal);
        expect(path && path.length - 1).toBe(distance);
      }),
    );
  });

  test("is connected, never crosses a wall, and runs from the start to the goal", () => {
    fc.assert(
      fc.property(grids, ({ start, goal, ...grid }) => {
        const path = findPath(grid, start, new Set([goal])) ?? [];
        fc.pre(path.length > 0);
        expect([path[0], path.at(-1)]).toEqual([start, goal]);
        expect(path.filter((tile) => grid.solid[tile] !== 0)).toEqual([]);
        expect(path.slice(1).every((tile, index) => touch(grid, tile, path[index] ?? -1))).toBe(true);
      }),
    );
  });

  test("leads to the nearest of several goals", () => {
    const map = arenaOf(["#######", "#.....#", "#######"]);
    expect(findPath(map, 8, new Set([12, 10]))).toEqual([8, 9, 10]);
  });
});

describe("the simulation", () => {
  const headings = fc.record({
    dx: fc.double({ min: -1, max: 1, noNaN: true }),
    dy: fc.double({ min: -1, max: 1, noNaN: true }),
  });
  const orders = fc.array(fc.tuple(headings, headings), { minLength: 1, maxLength: 120 });
  const halls = fc
    .array(fc.array(fc.constantFrom("#", ".", "."), { minLength: 7, maxLength: 7 }), {
      minLength: 6,
      maxLength: 6,
    })
    .map((rows) => rows.map((row, y) => row.map((tile, x) => (x === 1 && y === 1 ? "." : tile)).join("")));

  function play(
    map: ArenaMap,
    seed: number,
    moves: readonly (readonly [arena.Heading, arena.Heading])[],
    look: (world: readonly arena.Fighter[]) => void,
  ): void {
    const fighters = new Map([1, 2, 3].map((id) => [id, fighterAt(0, 0)]));
    const world = arena.createWorld(map, fighters, [{ x: 1.5, y: 1.5 }]);
    const random = seededRandom(seed);
    for (const fighter of fighters.values()) arena.spawnFighter(world, fighter, random);
    for (const [heading, trigger] of moves) {
      const fighter = fighters.get(1 + Math.floor(random() * 3));
      Object.assign(fighter?.controls ?? {}, { heading, trigger });
      arena.step(world, random);
      look([...fighters.values()]);
    }
  }

  function cornersInWalls(map: ArenaMap, { x, y }: arena.Fighter): number {
    const half = arena.FIGHTER_HALF;
    const corners = [-half, half].flatMap((dx) =>
      [-half, half].map((dy) => [Math.floor(x + dx), Math.floor(y + dy)] as const),
    );
    return corners.filter(
      ([column, row]) => map.solid[row * map.width + column] !== 0 || column < 0 || column >= map.width,
    ).length;
  }

  test("never lets a fighter into a wall, on any map and under any orders", () => {
    fc.assert(
      fc.property(halls, orders, fc.nat(), (rows, moves, seed) => {
        const map = arenaOf(rows);
        play(map, seed, moves, (fighters) => {
          expect(fighters.map((fighter) => cornersInWalls(map, fighter))).toEqual([0, 0, 0]);
        });
      }),
    );
  });

  test("plays the same match again from the same seed", () => {
    fc.assert(
      fc.property(halls, orders, fc.nat(), (rows, moves, seed) => {
        const [first, second]: [unknown[], unknown[]] = [[], []];
        play(arenaOf(rows), seed, moves, (fighters) => first.push(structuredClone(fighters)));
        play(arenaOf(rows), seed, moves, (fighters) => second.push(structuredClone(fighters)));
        expect(second).toEqual(first);
      }),
      { numRuns: 20 },
    );
  });

  function duel(rows: readonly string[], ticks: number): readonly [arena.Fighter, arena.Fighter] {
    const [shooter, rival] = [fighterAt(1.5, 1.5), fighterAt(5.5, 1.5)];
    const world = arena.createWorld(arenaOf(rows), new Map(Object.entries({ shooter, rival })), []);
    for (let tick = 0; tick < ticks; tick++) {
      shooter.controls.trigger = { dx: 1, dy: 0 };
      arena.step(world, seededRandom(1));
    }
    return [shooter, rival];
  }

  test("three shots put a rival down and score, and the rival comes back on a spawn after two seconds", () => {
    expect(duel(["#######", "#.....#", "#######"], 21)).toMatchObject([{ score: 3, shots: 3 }, { health: 0 }]);
    expect(duel(["#######", "#.....#", "#######"], 61)).toMatchObject([{ score: 3 }, { health: 3, x: 1.5, y: 1.5 }]);
  });

  test("a wall stops a shot", () => {
    expect(duel(["#######", "#..#..#", "#.....#", "#######"], 60)).toMatchObject([
      { score: 0, shots: 6 },
      { health: 3 },
    ]);
  });

  test("bots find their way: on crossfire each of four collects within a minute", async () => {
    const map = await loadArenaMap("crossfire");
    const fighters = new Map([1, 2, 3, 4].map((id) => [id, fighterAt(0, 0)]));
    const cells = [1, 2, 3, 4, 5, 6].map(() => ({ x: 0, y: 0 }));
    const world = arena.createWorld(map, fighters, cells);
    const random = seededRandom(2026);
    const pilots = new Map([...fighters.keys()].map((id) => [id, new Pilot(map)]));
    for (const cell of cells) arena.placeCell(world, cell, random);
    for (const fighter of fighters.values()) arena.spawnFighter(world, fighter, random);

    for (let tick = 0; tick < 60 * arena.TICK_RATE; tick++) {
      for (const [id, fighter] of fighters)
        fighter.controls.heading = pilots.get(id)?.decide(fighter, [], cells).heading ?? arena.STILL;
      arena.step(world, random);
    }
    expect([...fighters.values()].filter((fighter) => fighter.score < 3)).toEqual([]);
  });

  test.each([undefined, null, "north", {}, { dx: "1", dy: 0 }, { dx: Number.NaN, dy: 0 }, { dx: 0, dy: Infinity }])(
    "refuses %j as a direction",
    (message) => {
      expect(headingFormat["~standard"].validate(message)).toHaveProperty("issues");
    },
  );

  test.each([
    [{ dx: 0.6, dy: 0.8 }, false],
    [{ dx: -1, dy: 0 }, false],
    [{ dx: 0.8, dy: 0.8 }, true],
    [{ dx: 0, dy: 9 }, true],
  ])("takes %j as a direction; too fast: %s", (heading, tooFast) => {
    expect(headingFormat["~standard"].validate(heading)).toEqual({ value: heading });
    expect(arena.isTooFast(heading)).toBe(tooFast);
  });

  test("no pilot ever asks for more than full speed", () => {
    const place = fc.record({ x: fc.double({ min: 1.4, max: 4.6, noNaN: true }), y: fc.constant(1.5) });
    const map = arenaOf(["######", "#....#", "######"]);
    fc.assert(
      fc.property(place, place, (self, cell) => {
        expect(arena.isTooFast(new Pilot(map).decide(self, [], [cell]).heading)).toBe(false);
      }),
    );
  });
});

describe("tickets", () => {
  const ticket = mintTicket({ playerId: "ada", expires: 1_000 }, "secret");

  test("give back the player they were minted for", () => {
    expect(verifyTicket(ticket, "secret", 999)).toEqual({ playerId: "ada" });
  });

  test.each([
    ["expired", ticket, "secret", 1_000, "ticket expired"],
    ["signed with a foreign secret", ticket, "other", 0, "ticket signature is wrong"],
    ["tampered with", ticket.replace(/^./, "A"), "secret", 0, "ticket signature is wrong"],
    ["cut", ticket.slice(0, -4), "secret", 0, "ticket signature is wrong"],
    ["unsigned", ticket.split(".")[0], "secret", 0, "ticket malformed"],
    ["endless", "a".repeat(1e6), "secret", 0, "ticket malformed"],
    ["missing", undefined, "secret", 0, "ticket missing"],
  ])("that are %s are refused with 401", (_, bad, secret, now, message) => {
    expect(() => verifyTicket(bad, secret, now)).toThrow(expect.objectContaining({ code: 401, message }));
  });

  test("whose signed content is not a ticket are refused", () => {
    const nameless = mintTicket({ playerId: "", expires: 1_000 }, "secret");
    expect(() => verifyTicket(nameless, "secret", 0)).toThrow("ticket names no player");
  });
});
