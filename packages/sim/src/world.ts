import type { SharedWork } from '@dreamfold/log';
import { Chance } from './chance.ts';
import { Customer } from './customer.ts';
import { Group } from './group.ts';
import { Outside } from './outside.ts';
import { problemsOf, Ledger } from './ledger.ts';
import { SimulatedLog } from './simulated-log.ts';
import { SimulatedNode } from './simulated-node.ts';
import { Slot } from './slot.ts';
import { VirtualTime } from './virtual-time.ts';

const START = Date.UTC(2026, 0, 1);
/** So long things go wrong at most. Short troubles end in many a state that a longer one would mend. */
const TROUBLE_MS = 240_000;
/** By then all has to have ended, once nothing goes wrong any more. */
const PATIENCE_MS = 4 * 3_600_000;
/** What nodes have heard by then is all that there is. */
const QUIET_MS = 20_000;

export interface Outcome {
  seed: number;
  /** What was promised and not kept; [] when all was. */
  problems: string[];
  /** What happened, in order. */
  story: string[];
  sessions: number;
  /** Proposals of dreams. */
  proposals: number;
  events: number;
}

/** Workers, dreamers, and those who ask something of them, on one clock and one log. All of it follows from the seed. */
export class World {
  readonly time = new VirtualTime(START);
  readonly chance: Chance;
  readonly outside = new Outside();
  readonly log: SimulatedLog;
  readonly ledger: Ledger;
  readonly groups: { [W in SharedWork]: Group };
  readonly story: string[] = [];
  /** The appends that somebody was told of. */
  readonly acknowledged: { stream: string; ids: string[] }[] = [];
  readonly #seed: number;
  /** How long things go wrong here. */
  readonly #troubleMs: number;
  readonly #slots: Slot[];
  readonly #customer: Customer;

  constructor(seed: number) {
    this.#seed = seed;
    this.chance = new Chance(seed);
    this.#troubleMs = this.chance.between(TROUBLE_MS / 8, TROUBLE_MS);
    this.log = new SimulatedLog(this.time.now, this.chance.count(1, 3));
    this.ledger = new Ledger(this);
    this.groups = { workers: new Group(this, 'workers'), dreamers: new Group(this, 'dreamers') };
    this.#customer = new Customer(this, new SimulatedNode(this, 'customer'));
    const workers = Array.from({ length: this.chance.count(1, 3) }, (_, i) => new Slot(this, 'workers', `worker ${i + 1}`));
    const dreamers = Array.from({ length: this.chance.count(1, 2) }, (_, i) => new Slot(this, 'dreamers', `dreamer ${i + 1}`));
    this.#slots = [...workers, ...dreamers];
  }

  say(what: string): void {
    this.story.push(`${((this.time.now() - START) / 1000).toFixed(3).padStart(10)} ${what}`);
  }

  /** Lets it run until all that was asked for is done, or nothing more can come. */
  async run(): Promise<Outcome> {
    const problems: string[] = [];
    const calmAt = START + this.#troubleMs;
    try {
      await this.#customer.begin(this.#troubleMs);
      // Dreamers that come late find much to review.
      const lateMs = this.chance.happens(0.2) ? this.#troubleMs * 0.8 : 0;
      for (const slot of this.#slots) this.time.after(slot.work === 'dreamers' ? lateMs : 0, () => slot.start());
      this.#trouble();
      await this.time.run(() => this.time.now() >= calmAt, calmAt);
      this.say('nothing goes wrong any more');
      for (const slot of this.#slots) slot.settle();
      // What comes at the last moment may ask for more.
      let events: number;
      do {
        await this.time.run(() => this.#customer.isDone && this.ledger.isDone, calmAt + PATIENCE_MS);
        await this.time.run(() => this.#slots.every(({ node }) => (node?.standsMs ?? 0) === 0), calmAt + 2 * PATIENCE_MS);
        events = this.#events;
        await this.time.run(() => false, this.time.now() + QUIET_MS);
      } while (events !== this.#events && this.time.now() < calmAt + PATIENCE_MS);
      problems.push(...(await problemsOf(this, [this.#customer, ...this.#slots])));
    } catch (error) {
      problems.push(`the world itself: ${(error as Error).stack}`);
    }
    for (const slot of this.#slots) slot.node?.end('and so on');
    return {
      seed: this.#seed,
      problems,
      story: this.story,
      sessions: this.ledger.sessions.size,
      proposals: this.ledger.memory.patches.size,
      events: this.#events,
    };
  }

  get #events(): number {
    return this.log.partitions.reduce((sum, { length }) => sum + length, 0);
  }

  #trouble(): void {
    this.time.after(this.chance.wait(15_000), () => {
      if (this.time.now() >= START + this.#troubleMs) return;
      const { node } = this.chance.pick(this.#slots);
      const what = this.chance.next();
      if (what < 0.2) this.groups[this.chance.pick(['workers', 'dreamers'] as const)].share();
      else if (node === null) this.say('nothing');
      else if (what < 0.6) node.end('is killed');
      else if (what < 0.7) node.stop();
      else node.pause(this.chance.happens(0.3) ? this.chance.between(20_000, 180_000) : this.chance.wait(4_000));
      this.#trouble();
    });
  }
}
