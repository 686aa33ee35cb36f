import { isDeepStrictEqual } from 'node:util';
import { idOfStream, streamOf, type DreamCompleted, type LogEvent } from '@dreamfold/events';
import {
  evolveMemory,
  evolveSession,
  hasSomethingToDo,
  initialMemory,
  initialSession,
  patchOf,
  type MemoryState,
  type SessionState,
} from '@dreamfold/core';
import { evolveDream, initialDream, type DreamState } from '@dreamfold/dreaming';
import type { Log } from '@dreamfold/log';
import { loadSession, MemoryKeeper, resultOf } from '@dreamfold/runtime';
import { STORE } from './customer.ts';
import type { World } from './world.ts';

/** What stands on the shared log, folded as it comes: what the world holds its nodes to. */
export class Ledger {
  readonly sessions = new Map<string, SessionState>();
  /** The store that agents and dreams share. */
  memory: MemoryState = initialMemory;
  readonly #dreams = new Map<string, DreamState>();
  /** What dreams that were completed say that they have proposed. */
  readonly #proposed: string[] = [];
  /** Up to which of its events a session was reviewed by a dream that was completed. */
  readonly #reviewed = new Map<string, number>();
  /** Where each session came to rest last; 0 while it does not rest. */
  readonly #rest = new Map<string, number>();
  /** Faults of programs, which no trouble excuses. */
  readonly faults: string[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    world.log.listen(({ notice }) => notice.events.forEach((event) => this.#fold(event)));
  }

  /** Whether every session has ended and was reviewed. */
  get isDone(): boolean {
    return this.unended().length === 0 && this.unreviewed().length === 0;
  }

  unended(): string[] {
    return [...this.sessions]
      .filter(([, state]) => state.stopReason === null || state.stopReason.type === 'requires_action' || hasSomethingToDo(state))
      .map(([id]) => id);
  }

  unreviewed(): string[] {
    return [...this.#rest].filter(([id, seq]) => seq > (this.#reviewed.get(id) ?? 0)).map(([id]) => id);
  }

  /** Proposals of dreams that are not where their dream says, or that nobody has judged. */
  unjudged(): string[] {
    const isJudged = (id: string): boolean => (patchOf(this.memory, id)?.status ?? 'proposed') !== 'proposed';
    return this.#proposed.filter((id) => !isJudged(id));
  }

  #fold(event: LogEvent): void {
    const id = idOfStream(event.stream);
    if (event.stream.startsWith('session/')) {
      const before = this.sessions.get(id) ?? initialSession(id);
      const state = evolveSession(before, event);
      this.sessions.set(id, state);
      if (event.type === 'session.status_idle') this.#rest.set(id, event.seq);
      if (event.type === 'session.claimed' || event.type === 'session.status_idle')
        this.#world.say(`  log: ${id} #${event.seq} ${event.type}, epoch ${state.epoch}`);
    } else if (event.stream.startsWith('memory/')) {
      this.memory = evolveMemory(this.memory, event);
    } else if (event.stream.startsWith('dream/')) {
      const dream = evolveDream(this.#dreams.get(id) ?? initialDream, event);
      this.#dreams.set(id, dream);
      if (event.type !== 'dream.completed') return;
      this.#proposed.push(...(event.data as DreamCompleted).patch_ids);
      for (const { session_id: session, through_seq: through } of dream.reviewed.sessions)
        this.#reviewed.set(session, Math.max(through, this.#reviewed.get(session) ?? 0));
    }
  }
}

/** What a world has promised and not kept. */
export async function problemsOf(world: World, readers: readonly { log: Log | null }[]): Promise<string[]> {
  const { ledger, log, acknowledged, outside } = world;
  const problems = [...ledger.faults, ...outside.problems(), ...undone(world)];
  for (const id of ledger.unended()) problems.push(`${id} does not end`);
  for (const [id, { stopReason }] of ledger.sessions)
    if (stopReason?.type === 'budget_reached') problems.push(`${id} ends only because its time is over`);
  for (const id of ledger.unreviewed()) problems.push(`${id} has ended, and no dream has reviewed it`);
  for (const id of ledger.unjudged()) problems.push(`a dream has proposed ${id}, and it was not judged`);
  const counted = new Set([...log.streams.values()].flat().map(({ id }) => id));
  for (const { stream, ids } of acknowledged)
    for (const id of ids) if (!counted.has(id)) problems.push(`${id} of ${stream} was acknowledged, and is not there`);
  for (const [id, state] of ledger.sessions) {
    for (const reader of readers) {
      if (reader.log === null) continue;
      const folded = await readOn(world, loadSession(reader.log, id));
      if (folded !== null && !isDeepStrictEqual(inShort(folded), inShort(state))) problems.push(`nodes fold ${id} to different states`);
    }
  }
  for (const reader of readers) {
    if (reader.log === null) continue;
    const folded = await readOn(world, new MemoryKeeper(reader.log).load(STORE));
    if (folded !== null && !isDeepStrictEqual(storeInShort(folded.state), storeInShort(ledger.memory)))
      problems.push('nodes fold the store to different states');
  }
  return problems;
}

function storeInShort({ version, hash, patches, counts }: MemoryState): unknown {
  return { version, hash, counts, patches: [...patches].map(({ proposal, status }) => [proposal.patch_id, status]) };
}

function inShort(state: SessionState): unknown {
  const { seq, epoch, status, threads } = state;
  return { ...{ seq, epoch, status }, result: resultOf(state), messages: threads.map((thread) => thread.messages.toArray()) };
}

/** A read of a node takes time, which passes only while the world runs. @returns null for a node that ends meanwhile */
async function readOn<T>(world: World, reading: Promise<T>): Promise<T | null> {
  let isRead = false;
  const read = reading.finally(() => (isRead = true));
  await world.time.run(() => isRead, world.time.now() + 60_000);
  return isRead ? read : null;
}

/** Effects that the log reports and that were never done. */
function undone({ log, outside, ledger }: World): string[] {
  return [...ledger.sessions.keys()].flatMap((sessionId) => {
    const events = log.streams.get(streamOf('session', sessionId))!;
    const calls = new Map(events.filter(({ type }) => type === 'agent.tool_use').map((event) => [event.id, event]));
    return events.flatMap(({ type, data }) => {
      if (type !== 'agent.tool_result') return [];
      const { tool_use_id: callId, is_error: isError } = data as { tool_use_id: string; is_error?: boolean };
      const call = calls.get(callId);
      if (call === undefined || isError === true) return [];
      const { name, input } = call.data as { name: string; input: { step: number } };
      if ((name !== 'charge' && name !== 'launch') || outside.wasDone(input.step, { sessionId, threadId: call.actor })) return [];
      return [`${sessionId} says that step ${input.step} of ${call.actor} was done, and it was not`];
    });
  });
}
