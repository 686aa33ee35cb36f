import { isDreamfoldError, streamOf, type ErrorCode } from '@dreamfold/events';
import { awaitedEvents, confirmTool, interrupt, sendMessage } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { commandSession, compileTeam, confirmOn, MemoryKeeper, SessionHost } from '@dreamfold/runtime';
import { NodeLog } from './node-log.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { messageOf, planOf, teamOn } from './simulated-team.ts';
import type { World } from './world.ts';

export const STORE = 'desk';

/** Who asks for sessions, answers what they ask, and interrupts some. A program of its own, to which nothing happens. */
export class Customer {
  readonly log: Log;
  readonly #world: World;
  readonly #node: SimulatedNode;
  readonly #host: SessionHost;
  readonly #memory: MemoryKeeper;
  #open = 0;

  constructor(world: World, node: SimulatedNode) {
    this.#world = world;
    this.#node = node;
    this.log = new NodeLog(world.log, node, { weather: { lost: 0, fatal: 0, resent: 0, late: 0.05 }, place: node.name });
    const { time } = node;
    const random = world.chance.next;
    this.#memory = new MemoryKeeper(this.log, { time, random });
    this.#host = new SessionHost({
      ...{ log: this.log, time, random, uuid: () => world.chance.uuid() },
      models: () => {
        throw new TypeError('It runs nothing');
      },
      pinnedMemory: (pins) => this.#memory.pinned(pins),
    });
  }

  /** Whether all that it had in mind was said, and acknowledged. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  /** Plans what it will ask for within a time. */
  async begin(withinMs: number): Promise<void> {
    const { chance } = this.#world;
    this.#later(0, async () => void (await this.#memory.create({ name: STORE, description: '', approval: 'auto' }, 'person:ann')));
    // The store is there by then, for whoever asks.
    for (let i = chance.happens(0.1) ? 12 : chance.count(1, 5); i > 0; i -= 1)
      this.#later(chance.between(10_000, withinMs * 0.9), () => this.#ask(i));
    this.log.watch({
      onAppended: ({ stream, events }) => {
        if (events.some(({ type }) => type === 'session.status_idle')) this.#answer(stream);
        for (const { type, data } of events) if (type === 'memory.patch_validated') this.#review((data as { patch_id: string }).patch_id);
      },
      onFailed: () => {},
    });
  }

  #later(ms: number, act: () => Promise<void>): void {
    this.#open += 1;
    this.#world.time.after(ms, () => {
      act()
        .catch((error: unknown) => {
          // Notices were late, and others faster, for as long as it is tried.
          if (isDreamfoldError(error, 'head_conflict')) return this.#later(0, act);
          // What it had in mind may have been settled meanwhile.
          if (!isDreamfoldError(error) || !SETTLED.includes(error.code)) this.#world.ledger.faults.push(String((error as Error).stack));
        })
        .finally(() => (this.#open -= 1));
    });
  }

  async #ask(number: number): Promise<void> {
    const { chance } = this.#world;
    const plan = planOf(chance);
    const memory = chance.happens(0.5) ? [] : await this.#memory.pin([STORE]);
    const team = compileTeam(teamOn(this.#node));
    const principal = { id: chance.pick(['ann', 'bob', 'cyd']), authenticated: chance.happens(0.8) };
    const id = await this.#host.submit({ team, task: messageOf(plan), principal, idempotencyKey: `task ${number}`, memory });
    this.#node.say(`submitted ${id}: ${plan.join(' ')}`);
    if (chance.happens(0.4)) this.#later(chance.wait(30_000), () => this.#send(id));
    if (chance.happens(0.15)) this.#later(chance.wait(10_000), () => this.#interrupt(id));
  }

  async #send(id: string): Promise<void> {
    const plan = planOf(this.#world.chance);
    await commandSession(this.#on, id, (state) => sendMessage(state, messageOf(plan)));
    this.#node.say(`sent to ${id}: ${plan.join(' ')}`);
  }

  async #interrupt(id: string): Promise<void> {
    await commandSession(this.#on, id, (state) => interrupt(state, undefined));
    this.#node.say(`interrupted ${id}`);
  }

  /** Calls that wait for its word get it after a while. */
  #answer(stream: string): void {
    const state = this.#world.ledger.sessions.get(stream.slice(streamOf('session', '').length));
    if (state === undefined) return;
    for (const toolUseId of awaitedEvents(state)) {
      this.#later(this.#world.chance.wait(20_000), async () => {
        const result = this.#world.chance.pick(['allow', 'deny'] as const);
        await confirmOn(this.log, { sessionId: state.id, given: { toolUseId, result, by: 'ann' } }, (word) =>
          commandSession(this.#on, state.id, (now) => confirmTool(now, word)),
        );
        this.#node.say(`${result} in ${state.id}`);
      });
    }
  }

  /** Proposals that wait for a person get a decision after a while, unless somebody else was faster. */
  #review(patchId: string): void {
    this.#later(this.#world.chance.wait(30_000), async () => {
      const by = 'person:ann';
      if (this.#world.chance.happens(0.7)) await this.#memory.approve(STORE, patchId, { by });
      else await this.#memory.reject(STORE, patchId, { by, reason: 'no' });
      this.#node.say(`decided on ${patchId}`);
    });
  }

  get #on(): Parameters<typeof commandSession>[0] {
    return { log: this.log, time: this.#node.time, random: this.#world.chance.next };
  }
}

const SETTLED: readonly ErrorCode[] = [
  'approval_already_used',
  'approval_not_found',
  'approval_stale',
  'session_ended',
  'budget_exceeded',
  // Of proposals: a later dream has proposed better, or a gate has stopped it.
  'already_decided',
  'precondition_failed',
];
