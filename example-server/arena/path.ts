import { openNeighbours, type Grid } from "./grid.ts";

const UNSEEN = -2;
const ORIGIN = -1;

/**
 * Shortest way over open tiles (four directions) from `start` to the nearest of `goals`, both ends included.
 * `undefined` when no goal can be reached.
 */
export function findPath(grid: Grid, start: number, goals: ReadonlySet<number>): readonly number[] | undefined {
  const search = flood(grid, start, goals);
  if (search.reached === undefined) return undefined;
  const path: number[] = [];
  for (let tile = search.reached; tile !== ORIGIN; tile = search.cameFrom[tile] ?? ORIGIN) path.push(tile);
  return path.toReversed();
}

/** Every tile that can be walked to from `start`, nearest first. */
export function reachableTiles(grid: Grid, start: number): readonly number[] {
  return flood(grid, start, new Set()).visited;
}

interface Flood {
  readonly reached: number | undefined;
  readonly visited: readonly number[];
  readonly cameFrom: Int32Array;
}

function flood(grid: Grid, start: number, goals: ReadonlySet<number>): Flood {
  const cameFrom = new Int32Array(grid.solid.length).fill(UNSEEN);
  const visited: number[] = [];
  if (grid.solid[start] !== 0) return { reached: undefined, visited, cameFrom };

  visited.push(start);
  cameFrom[start] = ORIGIN;
  // The array grows while it is walked: it is the breadth-first queue.
  for (const tile of visited) {
    if (goals.has(tile)) return { reached: tile, visited, cameFrom };
    for (const next of openNeighbours(grid, tile)) {
      if (cameFrom[next] !== UNSEEN) continue;
      cameFrom[next] = tile;
      visited.push(next);
    }
  }
  return { reached: undefined, visited, cameFrom };
}
