import { sleepBy, type Time } from '@dreamfold/log';
import type { World } from './world.ts';

/**
 * A machine of the world. What it waits for comes through `perform`: late when the machine stands still meanwhile, never when it is
 * gone. So all that was in flight there ends where it was, without another word.
 */
export class SimulatedNode {
  readonly world: World;
  readonly name: string;
  readonly time: Time;
  #isAlive = true;
  #standsUntil = 0;
  #silentSince = 0;
  readonly #atEnd: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    const after: Time['after'] = (ms, then) => world.time.after(ms, () => this.perform(then));
    this.time = { now: world.time.now, after, sleep: (ms, signal) => sleepBy(after, ms, signal) };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** For how long it still stands still. */
  get standsMs(): number {
    return Math.max(0, this.#standsUntil - this.world.time.now());
  }

  /** For how long nobody has heard of it; 0 while it goes on. */
  get silentMs(): number {
    return this.#isAlive && this.standsMs === 0 ? 0 : this.world.time.now() - this.#silentSince;
  }

  perform(then: () => void): void {
    if (!this.#isAlive) return;
    if (this.standsMs > 0) this.world.time.after(this.standsMs, () => this.perform(then));
    else then();
  }

  /** A moment in which anything may come between. */
  async breathe(): Promise<void> {
    if (this.world.chance.happens(0.2)) await this.time.sleep(this.world.chance.between(0, 3));
  }

  say(what: string): void {
    this.world.say(`${this.name}: ${what}`);
  }

  pause(ms: number): void {
    this.say(`stands still for ${(ms / 1000).toFixed(1)} s`);
    if (this.standsMs === 0) this.#silentSince = this.world.time.now();
    this.#standsUntil = Math.max(this.#standsUntil, this.world.time.now() + ms);
  }

  /** It is gone, with all that was in flight. */
  end(how: string): void {
    if (!this.#isAlive) return;
    this.say(how);
    if (this.standsMs === 0) this.#silentSince = this.world.time.now();
    this.#isAlive = false;
    for (const then of this.#atEnd.splice(0)) then();
  }

  onEnd(then: () => void): void {
    this.#atEnd.push(then);
  }
}
