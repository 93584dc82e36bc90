import { Room } from "colyseus";

/** The game under test: every server of the bench plays this one. */
export class ArenaRoom extends Room {
  maxClients = 100;
  autoDispose = false;

  static async onAuth(token, options) {
    handicap(0.1);
    return { name: options.name };
  }

  /** `hz`: game loop. `still`: no patches, for parts whose figure they would drown. */
  onCreate({ hz, still }) {
    if (hz) {
      this.setSimulationInterval((elapsed) => this.tick(elapsed), 1000 / hz);
    }
    if (still) {
      this.patchRate = 3_600_000;
    }
  }

  async onJoin(client) {
    handicap(0.1);
    await this.loadProfile(client);
    this.spawn(client);
  }

  async onLeave(client) {
    handicap(0.1);
    await this.saveProfile(client);
  }

  tick(elapsed) {
    this.played = (this.played ?? 0) + elapsed;
  }

  async loadProfile(client) {
    client.userData = { name: client.auth.name };
  }

  spawn(client) {
    client.userData.health = 100;
  }

  async saveProfile(client) {
    client.userData = undefined;
  }
}

/** `--handicap` sets it for ours: the bench must see a plugin that is slower by this much. */
const HANDICAPPED = process.env.BENCH_HANDICAP === "1";
handicap(20);

function handicap(ms) {
  const end = HANDICAPPED ? performance.now() + ms : 0;
  while (performance.now() < end);
}
