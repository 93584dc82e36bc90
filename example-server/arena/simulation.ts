import { castRay, isClear, tileAt, tileCentre, type Point } from "./grid.ts";
import { reachableTiles } from "./path.ts";
import { pick, type Random } from "./random.ts";
import type { ArenaMap } from "./tiled-map.ts";

export const TICK_RATE = 20;
export const FULL_HEALTH = 3;
export const SHOT_RANGE = 12;
/** Half the side of a fighter, in tiles: it fits through a door of one tile. */
export const FIGHTER_HALF = 0.35;

const STRIDE = 4 / TICK_RATE;
const REACH = 0.6;
const RELOAD_TICKS = TICK_RATE / 2;
const DOWN_TICKS = TICK_RATE * 2;
const SPREAD = 0.12;
const HIT_RADIUS = 0.45;
const CELL_POINTS = 1;
const TAG_POINTS = 3;

/** A direction; its length, at most 1, is the share of full speed. */
export interface Heading {
  readonly dx: number;
  readonly dy: number;
}

export const STILL: Heading = Object.freeze({ dx: 0, dy: 0 });

/** What only a cheat asks for; the pilots' own headings are off by a rounding error at most. */
export function isTooFast({ dx, dy }: Heading): boolean {
  return Math.hypot(dx, dy) > 1.001;
}

/** What a fighter wants and must wait for. Never sent to clients. */
export class Controls {
  heading: Heading = STILL;
  trigger: Heading | undefined;
  reloadTicks = 0;
  downTicks = 0;
}

/** Plain data, so that the room's schema objects can be stepped in place. */
export interface Fighter {
  x: number;
  y: number;
  facing: number;
  health: number;
  score: number;
  shots: number;
  readonly controls: Controls;
}

export interface Cell {
  x: number;
  y: number;
}

export interface World {
  readonly map: ArenaMap;
  /** Tiles that somebody can stand on. */
  readonly floor: readonly number[];
  readonly fighters: { values(): Iterable<Fighter> };
  readonly cells: Iterable<Cell>;
}

export function createWorld(map: ArenaMap, fighters: World["fighters"], cells: World["cells"]): World {
  const [spawn] = map.spawns;
  if (spawn === undefined) throw new RangeError(`map "${map.name}" has no spawns`);
  return { map, floor: reachableTiles(map, tileAt(map, spawn)), fighters, cells };
}

/** Puts the fighter on a spawn, whole and standing still. */
export function spawnFighter(world: World, fighter: Fighter, random: Random): void {
  const spawn = pick(world.map.spawns, random);
  fighter.x = spawn.x;
  fighter.y = spawn.y;
  fighter.health = FULL_HEALTH;
  fighter.controls.heading = STILL;
  fighter.controls.trigger = undefined;
}

export function placeCell(world: World, cell: Cell, random: Random): void {
  const centre = tileCentre(world.map, pick(world.floor, random));
  cell.x = centre.x;
  cell.y = centre.y;
}

/** One tick of 50 ms: everybody moves and collects, then everybody shoots. */
export function step(world: World, random: Random): void {
  for (const fighter of world.fighters.values()) {
    if (fighter.health === 0) {
      recover(world, fighter, random);
      continue;
    }
    walk(world.map, fighter);
    collect(world, fighter, random);
  }
  for (const fighter of world.fighters.values()) shoot(world, fighter, random);
}

function recover(world: World, fighter: Fighter, random: Random): void {
  fighter.controls.downTicks -= 1;
  if (fighter.controls.downTicks <= 0) spawnFighter(world, fighter, random);
}

// Each axis on its own, so that a fighter who pushes against a wall slides along it.
function walk(map: ArenaMap, fighter: Fighter): void {
  const { dx, dy } = fighter.controls.heading;
  const x = fighter.x + dx * STRIDE;
  if (dx !== 0 && isClear(map, { x, y: fighter.y }, FIGHTER_HALF)) fighter.x = x;
  const y = fighter.y + dy * STRIDE;
  if (dy !== 0 && isClear(map, { x: fighter.x, y }, FIGHTER_HALF)) fighter.y = y;
}

function collect(world: World, fighter: Fighter, random: Random): void {
  for (const cell of world.cells) {
    if (Math.hypot(cell.x - fighter.x, cell.y - fighter.y) > REACH) continue;
    fighter.score += CELL_POINTS;
    placeCell(world, cell, random);
  }
}

function shoot(world: World, fighter: Fighter, random: Random): void {
  const { controls } = fighter;
  const { trigger } = controls;
  controls.trigger = undefined;
  if (controls.reloadTicks > 0) controls.reloadTicks -= 1;
  if (trigger === undefined || controls.reloadTicks > 0 || fighter.health === 0) return;

  fighter.facing = Math.atan2(trigger.dy, trigger.dx) + (random() - 0.5) * SPREAD;
  fighter.shots += 1;
  controls.reloadTicks = RELOAD_TICKS;
  const target = firstHit(world, fighter);
  if (target === undefined) return;

  target.health -= 1;
  if (target.health > 0) return;
  target.controls.downTicks = DOWN_TICKS;
  fighter.score += TAG_POINTS;
}

function firstHit(world: World, shooter: Fighter): Fighter | undefined {
  const direction: Point = { x: Math.cos(shooter.facing), y: Math.sin(shooter.facing) };
  let nearest = castRay(world.map, shooter, direction, SHOT_RANGE);
  let target: Fighter | undefined;
  for (const rival of world.fighters.values()) {
    if (rival === shooter || rival.health === 0) continue;
    const x = rival.x - shooter.x;
    const y = rival.y - shooter.y;
    const along = x * direction.x + y * direction.y;
    const aside = Math.abs(x * direction.y - y * direction.x);
    if (along <= 0 || along >= nearest || aside > HIT_RADIUS) continue;
    nearest = along;
    target = rival;
  }
  return target;
}
