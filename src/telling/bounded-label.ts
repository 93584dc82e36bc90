/** A label whose values come from the game: the first `max` different ones keep their name, later ones are `other`. */
export function boundedLabel(max: number): (value: unknown) => string {
  const seen = new Set<string>();
  return (value) => {
    const name = String(value);
    if (seen.has(name)) {
      return name;
    }
    if (seen.size >= max) {
      return "other";
    }
    seen.add(name);
    return name;
  };
}
