import { compileTeam, Dreamer, dreamByRules, MemoryKeeper, SessionHost, workOn } from '@dreamfold/runtime';
import type { Log, SharedWork } from '@dreamfold/log';
import { NodeLog, type Weather } from './node-log.ts';
import { SimulatedNode } from './simulated-node.ts';
import { teamOn } from './simulated-team.ts';
import { STORE } from './customer.ts';
import type { World } from './world.ts';

const CALM: Weather = { lost: 0, fatal: 0, resent: 0, late: 0 };
const TROUBLED: Weather = { lost: 0.004, fatal: 0.006, resent: 0.02, late: 0.05 };

/** A node that runs the program, as it is in packages/runtime. */
class ProgramNode extends SimulatedNode {
  readonly log: Log;
  readonly #stop = new AbortController();

  constructor(slot: Slot, name: string) {
    super(slot.world, name);
    this.log = new NodeLog(this.world.log, this, { weather: slot.weather, place: slot.name });
  }

  begin(work: SharedWork): void {
    this.say('starts');
    const working = work === 'workers' ? this.#work() : this.#dream();
    working.then(
      () => this.end('has stopped'),
      (error: unknown) => this.end(`ends with ${(error as Error).message}`),
    );
  }

  /** It lets go of what it has, and ends. */
  stop(): void {
    this.say('is told to stop');
    this.#stop.abort();
  }

  #work(): Promise<void> {
    const { log, time, world } = this;
    const random = world.chance.next;
    const memory = new MemoryKeeper(log, { time, random });
    const models = (): never => {
      throw new TypeError('Every agent brings its model');
    };
    const host = new SessionHost({
      log,
      time,
      random,
      models,
      uuid: () => world.chance.uuid(),
      pinnedMemory: (pins) => memory.pinned(pins),
    });
    return workOn({
      ...{ log, host, time, random, signal: this.#stop.signal, teams: [{ team: compileTeam(teamOn(this)) }] },
      // Who waits only because all have enough to do says nothing of the rest.
      concurrency: world.isCalm ? 100 : world.chance.count(2, 8),
      tell: (news) => {
        if (news.type === 'assigned') return;
        this.say(`${news.type} ${news.session}`);
        if (news.type === 'failed') world.ledger.faults.push(`${news.session} failed: ${(news.error as Error).stack}`);
      },
    });
  }

  #dream(): Promise<void> {
    const { log, time, world } = this;
    const memory = new MemoryKeeper(log, { time, random: world.chance.next });
    return dreamByRules({
      ...{ log, memory, time, signal: this.#stop.signal },
      dreamer: new Dreamer(log, memory, { time, random: world.chance.next }),
      rules: [{ store: STORE }],
      tell: (news) => {
        const what = news.type === 'dreamt' ? `${news.report.reviewed.sessions} sessions` : (news.error as Error).message;
        this.say(`${news.type}: ${what}`);
      },
    });
  }
}

/** So long a node lives that dies again and again. */
const LOOP_MS = 3_000;

/** A place of the world where a node starts whenever the one before it has ended. */
export class Slot {
  readonly world: World;
  readonly weather: Weather;
  node: ProgramNode | null = null;
  readonly work: SharedWork;
  readonly name: string;
  #count = 0;
  /** Whether whatever starts here is killed soon after. */
  #loops = false;

  constructor(world: World, work: SharedWork, name: string) {
    this.world = world;
    this.weather = { ...(world.isCalm ? CALM : TROUBLED) };
    this.work = work;
    this.name = name;
  }

  get log(): Log | null {
    return this.node?.log ?? null;
  }

  start(): void {
    this.#count += 1;
    const node = new ProgramNode(this, `${this.name}${'′'.repeat(this.#count - 1)}`);
    this.node = node;
    node.onEnd(() => {
      this.node = null;
      this.world.time.after(this.#loops ? LOOP_MS / 10 : this.world.chance.between(500, 20_000), () => this.start());
    });
    node.begin(this.work);
    if (this.#loops) this.world.time.after(LOOP_MS, () => this.#loops && node.end('is killed'));
  }

  /** Kills whatever starts here soon after, until it settles. */
  loop(): void {
    this.#loops = true;
    this.start();
  }

  /** No append goes wrong here any more. */
  settle(): void {
    this.#loops = false;
    Object.assign(this.weather, { lost: 0, fatal: 0, resent: 0 });
  }
}
