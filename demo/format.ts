/** Milliseconds for a column of eight: `0.42 ms`, `12.3 ms`, `123 ms`, `1.23 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 100) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Cut or padded to exactly `width` columns. */
export function fit(text: string, width: number): string {
  return cut(text, width).padEnd(width);
}

/** At most `width` columns. */
export function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

export function shortId(id: string): string {
  return id.slice(0, 8);
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
