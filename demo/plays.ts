import { GAMELIFT_CAST, GAMELIFT_COLD_CAST } from "./expected-gamelift.ts";
import { ALONE_CAST, CAST, COLD_CAST, REUSED_CAST, type Cast } from "./expected.ts";
import type { Say } from "./narrator.ts";
import type { DemoOptions } from "./options.ts";
import { playAlone, playCold, playGameSession, playReused } from "./short-stories.ts";
import { raiseGame, raiseLobby, type Backstage, type Stage } from "./stage.ts";
import { playStory } from "./story.ts";

export interface Play {
  readonly cast: Cast;
  /** Brings up what else it needs, and plays. */
  perform(stack: AsyncDisposableStack, backstage: Backstage, say: Say): Promise<Stage>;
}

export function playOf({ cold, reused, orchestrator }: DemoOptions): Play {
  if (orchestrator === "gamelift") return cold ? GAMELIFT_COLD : GAMELIFT;
  if (cold) return COLD;
  if (reused) return REUSED;
  return orchestrator === "none" ? ALONE : WHOLE;
}

const WHOLE: Play = {
  cast: CAST,
  async perform(stack, backstage, say) {
    const lobbyUrl = await raiseLobby(stack, backstage, say);
    const stage = { ...(await raiseGame(stack, backstage, say)), lobbyUrl };
    await playStory(stage, say);
    return stage;
  },
};

const COLD: Play = { cast: COLD_CAST, perform: playCold };
const GAMELIFT_COLD: Play = { cast: GAMELIFT_COLD_CAST, perform: playCold };
const GAMELIFT = onStage(GAMELIFT_CAST, playGameSession);
const REUSED = onStage(REUSED_CAST, playReused);
const ALONE = onStage(ALONE_CAST, playAlone);

function onStage(cast: Cast, play: (stage: Stage, say: Say) => Promise<void>): Play {
  return {
    cast,
    async perform(stack, backstage, say) {
      const stage = await raiseGame(stack, backstage, say);
      await play(stage, say);
      return stage;
    },
  };
}
