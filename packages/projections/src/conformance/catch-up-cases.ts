import { createStore, initialMemory, DEFAULT_CAPS } from '@dreamfold/core';
import { givenAgent, givenCriterion, seeded } from '@dreamfold/core/testing';
import { streamOf, text, type NewEvent } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../memory-store.ts';
import type { ProjectionStore, Row } from '../port.ts';
import { Projections } from '../projections.ts';
import { VIEWS } from '../views.ts';
import type { StoreUnderTest } from './describe-store.ts';

const STREAMS = 6;
const SECRET = 'Sesame-4711';

function said(type: string, data: unknown): NewEvent {
  return { type, data, class: 'open', actor: 'sthr_1' };
}

/** What may come to stand on the stream of a kind; most of it makes no sense where it stands, and has to fold all the same. */
function somethingOf(kind: string, pick: <T>(of: readonly T[]) => T): NewEvent {
  if (kind === 'session') return pick(SESSION_EVENTS);
  return kind === 'memory' ? pick(MEMORY_EVENTS) : pick(DREAM_EVENTS);
}

const TEAM = { lead: 'desk', agents: [givenAgent('desk')] };
const OUTCOME = {
  ...{ outcome_id: 'outc_1', description: `Reach it, ${SECRET}`, rubric: { type: 'text', content: 'So.' }, max_iterations: 3 },
  ...{ df_criteria: [givenCriterion('good')], df_pass_score: 1 },
};
const SESSION_EVENTS = [
  said('session.created', { title: `Open, ${SECRET}`, principal: 'ann', team: TEAM, caps: DEFAULT_CAPS, memory: [] }),
  said('session.created', { principal: `ben ${SECRET}`, team: TEAM, caps: DEFAULT_CAPS, memory: [] }),
  said('user.message', { content: text(`Go, ${SECRET}`) }),
  said('user.define_outcome', OUTCOME),
  said('session.status_running', {}),
  said('session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }),
  said('outcome.imported', { score: 0.5, source: 'file' }),
];
const add = { op: 'add', path: '/memories/~1a.md', value: { kind: 'note', content: SECRET } };
const MEMORY_EVENTS = [
  ...createStore(initialMemory, { name: SECRET, description: '', approval: 'manual', by: 'person:ann' }),
  ...['p1', 'p2'].flatMap((patch_id) => [
    said('memory.patch_proposed', {
      ...{ patch_id, base_hash: 'h', operations: [add], inverse: [], reason: SECRET, evidence: [], author: 'person:ann' },
    }),
    said('memory.patch_validated', { patch_id, gates: [] }),
    said('memory.patch_approved', { patch_id, by: 'person:ben' }),
    said('memory.patch_applied', { patch_id, version: 1, hash: 'h' }),
  ]),
];
const DREAM_EVENTS = [
  said('dream.started', { store_id: 'memstore_1', number: 1, log_id: 'log_1', after: [0], through: [9] }),
  said('dream.reviewed', { sessions: [{ session_id: 'sesn_1', through_seq: 3 }], decisions: 1, labelled: 0 }),
  said('dream.completed', { patch_ids: [SECRET], insights: 0, rejected: 0 }),
];

/** A log on which somebody writes, and now and then erases. */
class Scribe {
  readonly log: Log = openMemoryLog();
  readonly #random: () => number;
  readonly #heads = new Map<string, number>();

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  pick = <T>(of: readonly T[]): T => of[Math.floor(this.#random() * of.length)]!;

  async write(): Promise<void> {
    const kind = this.pick(['session', 'session', 'memory', 'dream'] as const);
    const stream = streamOf(kind, `${kind}_${this.pick([...Array(STREAMS).keys()])}`);
    const events = Array.from({ length: this.pick([1, 2, 3]) }, () => somethingOf(kind, this.pick));
    const seq = this.#heads.get(stream) ?? 0;
    const time = Math.floor(this.#random() * 1e6);
    await this.log.append({ stream, id: `a${seq}`, expected: seq, events, time });
    this.#heads.set(stream, seq + events.length);
  }

  async erase(): Promise<void> {
    const stream = this.pick([...this.#heads.keys()]);
    await this.log.erasure.erase(stream, { seqs: [this.pick([1, 2, 3, 4, 5])], reason: 'asked for' });
    this.#heads.set(stream, (await this.log.head(stream)).seq);
  }
}

function rowsOf(store: ProjectionStore): Row[] {
  return VIEWS.flatMap(({ name: view }) => store.page({ view, where: [], order: 'oldest' }));
}

async function fromNothing(log: Log): Promise<Row[]> {
  const store = openMemoryStore();
  await new Projections(log, store).catchUp();
  return rowsOf(store);
}

export function describeCatchingUp(under: StoreUnderTest): void {
  describe('catching up', () => {
    it('gives what folding from nothing gives, wherever two have caught up and whatever was erased', async () => {
      for (let seed = 1; seed <= 12; seed += 1) {
        const scribe = new Scribe(seed);
        const store = under.fresh();
        const both = [new Projections(scribe.log, store), new Projections(scribe.log, store)];
        const underWay: Promise<void>[] = [];
        for (let i = 0; i < 60; i += 1) {
          await scribe.write();
          if (scribe.pick([true, false, false])) underWay.push(scribe.pick(both).catchUp());
          if (scribe.pick([true, false, false])) await Promise.all(underWay.splice(0));
          if (i > 5 && scribe.pick([true, false, false, false, false])) await scribe.erase();
        }
        await Promise.all(underWay);
        await Promise.all(both.map((projections) => projections.catchUp()));
        expect(rowsOf(store)).toEqual(await fromNothing(scribe.log));
        expect(store.checkpoint()!.cursor).toEqual(await scribe.log.cursor());
      }
    });

    it('keeps nothing of a stream whose payloads are erased', async () => {
      const scribe = new Scribe(3);
      const store = under.fresh();
      for (let i = 0; i < 60; i += 1) await scribe.write();
      const projections = new Projections(scribe.log, store);
      await projections.catchUp();
      expect(JSON.stringify(rowsOf(store))).toContain(SECRET);
      for await (const batch of scribe.log.streams()) {
        for (const { stream, head } of batch) {
          const seqs = Array.from({ length: head.seq }, (_, i) => i + 1);
          if (!stream.startsWith('log/')) await scribe.log.erasure.erase(stream, { seqs, reason: 'asked for' });
        }
      }
      await projections.catchUp();
      expect(JSON.stringify(rowsOf(store))).not.toContain(SECRET);
    });

    it.each([
      ['another log', { logId: 'log_other' }],
      ['other folds', { folds: 'sessions@0' }],
      ['more than the log holds', { cursor: [999] }],
      ['a log that has gone another way', { hashes: ['another'] }],
      ['other partitions', { cursor: [0, 0], hashes: ['', ''] }],
      ['erasures that nobody knows of', { erasures: '99' }],
    ])('builds anew what was kept of %s', async (_, change) => {
      const scribe = new Scribe(5);
      for (let i = 0; i < 20; i += 1) await scribe.write();
      const store = under.fresh();
      await new Projections(scribe.log, store).catchUp();
      const wrong: Row = { ...rowsOf(store)[0]!, key: 'wrong', state: {} };
      store.transaction((rows) => {
        rows.put(wrong);
        rows.setCheckpoint({ ...rows.checkpoint()!, ...change });
      });
      await new Projections(scribe.log, store).catchUp();
      expect(rowsOf(store)).toEqual(await fromNothing(scribe.log));
    });
  });
}
