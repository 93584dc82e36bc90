export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Tiles in rows: the tile at column x, row y has the index `y * width + x`. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  readonly solid: Uint8Array;
}

const RAY_STEP = 0.1;

/** Everything outside the grid is wall. */
function isSolid(grid: Grid, column: number, row: number): boolean {
  if (column < 0 || row < 0 || column >= grid.width || row >= grid.height) return true;
  return grid.solid[row * grid.width + column] !== 0;
}

export function tileAt(grid: Grid, point: Point): number {
  return Math.floor(point.y) * grid.width + Math.floor(point.x);
}

export function tileCentre(grid: Grid, tile: number): Point {
  return { x: (tile % grid.width) + 0.5, y: Math.floor(tile / grid.width) + 0.5 };
}

export function openNeighbours(grid: Grid, tile: number): number[] {
  const column = tile % grid.width;
  const row = (tile - column) / grid.width;
  const found: number[] = [];
  if (!isSolid(grid, column + 1, row)) found.push(tile + 1);
  if (!isSolid(grid, column, row + 1)) found.push(tile + grid.width);
  if (!isSolid(grid, column - 1, row)) found.push(tile - 1);
  if (!isSolid(grid, column, row - 1)) found.push(tile - grid.width);
  return found;
}

/** Whether a square with the given half side, centred on the point, touches no wall. */
export function isClear(grid: Grid, centre: Point, half: number): boolean {
  for (let row = Math.floor(centre.y - half); row <= Math.floor(centre.y + half); row++) {
    for (let column = Math.floor(centre.x - half); column <= Math.floor(centre.x + half); column++) {
      if (isSolid(grid, column, row)) return false;
    }
  }
  return true;
}

/** How far a ray gets before a wall, in tiles, at most `range`. The direction has length 1. */
export function castRay(grid: Grid, from: Point, direction: Point, range: number): number {
  for (let distance = 0; distance < range; distance += RAY_STEP) {
    const column = Math.floor(from.x + direction.x * distance);
    const row = Math.floor(from.y + direction.y * distance);
    if (isSolid(grid, column, row)) return distance;
  }
  return range;
}
