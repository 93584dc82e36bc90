import { castRay, tileAt, tileCentre, type Grid, type Point } from "./grid.ts";
import { findPath } from "./path.ts";
import { SHOT_RANGE, STILL, type Heading } from "./simulation.ts";

export interface Sighting extends Point {
  readonly health: number;
}

export interface Intent {
  readonly heading: Heading;
  readonly shot: Heading | undefined;
}

/** Decides what a fighter does next from what it sees: the server's bots and the demo's players both fly by it. */
export class Pilot {
  readonly #map: Grid;
  #tile = -1;
  #goal = -1;
  #waypoint: Point | undefined;

  constructor(map: Grid) {
    this.#map = map;
  }

  decide(self: Point, rivals: Iterable<Sighting>, cells: Iterable<Point>): Intent {
    return { heading: this.#headingFor(self, cells), shot: this.#shotAt(self, rivals) };
  }

  #headingFor(self: Point, cells: Iterable<Point>): Heading {
    const goals = new Set<number>();
    for (const cell of cells) goals.add(tileAt(this.#map, cell));
    const tile = tileAt(this.#map, self);
    // A search per tick and bot would be most of the server's work; a new tile or a taken cell is what changes the answer.
    if (tile !== this.#tile || !goals.has(this.#goal)) this.#plan(tile, goals);
    return this.#waypoint === undefined ? STILL : towards(self, this.#waypoint);
  }

  #plan(tile: number, goals: ReadonlySet<number>): void {
    const path = findPath(this.#map, tile, goals);
    this.#tile = tile;
    this.#goal = path?.at(-1) ?? -1;
    const next = path?.[1] ?? path?.[0];
    this.#waypoint = next === undefined ? undefined : tileCentre(this.#map, next);
  }

  #shotAt(self: Point, rivals: Iterable<Sighting>): Heading | undefined {
    let nearest = SHOT_RANGE;
    let shot: Heading | undefined;
    for (const rival of rivals) {
      const distance = Math.hypot(rival.x - self.x, rival.y - self.y);
      if (rival.health === 0 || distance >= nearest || distance === 0) continue;
      const heading = { dx: (rival.x - self.x) / distance, dy: (rival.y - self.y) / distance };
      if (castRay(this.#map, self, { x: heading.dx, y: heading.dy }, distance) < distance) continue;
      nearest = distance;
      shot = heading;
    }
    return shot;
  }
}

// Slower close to the waypoint: at full speed a fighter would step over it and back for ever.
function towards(from: Point, to: Point): Heading {
  const x = to.x - from.x;
  const y = to.y - from.y;
  const distance = Math.max(Math.hypot(x, y), 0.2);
  return { dx: x / distance, dy: y / distance };
}
