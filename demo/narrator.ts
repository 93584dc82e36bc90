import pc from "picocolors";

/** One line of progress: when, who, what. */
export type Say = (who: string, what: string) => void;

export function createNarrator(color: boolean): Say {
  const paint = pc.createColors(color);
  const began = performance.now();
  return (who, what) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(2).padStart(6);
    console.log(`${paint.dim(`${seconds} s`)}  ${paint.cyan(who.padEnd(12))} ${what}`);
  };
}
