import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EMPTY_DOCUMENT, parseTauBench, type ImportedSession } from '@dreamfold/core';
import { seeded } from '@dreamfold/core/testing';
import { eventId } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { decideInsights } from '../decide-insights.ts';
import type { Episode } from '../episodes/episode.ts';
import { UNGUARDED } from './guard/guard-life.ts';
import { learn, newKnowledge } from './knowledge.ts';
import { recoveryAccuracy } from './recovery-accuracy.ts';
import { SessionReader } from '../episodes/session-reader.ts';

const repository = resolve(import.meta.dirname, '../../../..');
const file = join(resolve(repository, process.env['DREAMFOLD_DATA'] ?? '../shared/data'), 'tau-airline/gpt-4o-airline.json');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

function episodeOf(session: ImportedSession): Episode {
  const reader = new SessionReader();
  let seq = 0;
  for (const append of session.appends) {
    for (const [i, { type, data, actor }] of append.events.entries()) {
      seq += 1;
      const place = { position: seq, stream: session.stream, seq, id: eventId(append.id, i), time: 0, v: 1, hash: '' };
      reader.add({ ...place, type, data, actor, causation: null, correlation: null });
    }
  }
  return reader.episode()!;
}

describe('the recorded airline runs of sierra-research/tau-bench', () => {
  const found = existsSync(file);
  const sessions = found ? parseTauBench(readFileSync(file, 'utf8'), { source: file, sha256 }) : [];
  const taskOf = ({ appends }: ImportedSession): string =>
    (appends[0]!.events[0]!.data as { metadata: { task_id: string } }).metadata.task_id;

  it.skipIf(found)('needs gpt-4o-airline.json of that data set; DREAMFOLD_DATA names its folder', (test) => {
    test.skip(`there is no ${file}`);
  });

  it.skipIf(!found)('tell what follows an error that was seen in other tasks: right three times of four', () => {
    const runs = sessions.map((session) => ({ task: taskOf(session), errors: episodeOf(session).errors }));
    const { errors, seen, right } = recoveryAccuracy(runs, { splits: 50, random: seeded(1) });
    expect(errors).toBeGreaterThan(300);
    expect(seen / errors).toBeGreaterThan(0.7);
    expect(right / seen).toBeGreaterThanOrEqual(0.75);
  });

  it.skipIf(!found)('are proposed as what went with the error, and each waits for a person', () => {
    const knowledge = newKnowledge();
    for (const session of sessions) learn(knowledge, episodeOf(session), { store: 'memstore_1', stored: new Map() });
    const nothing = {
      proposed: [],
      prior: () => undefined,
      counts: new Map(),
      constitution: [],
      suggestions: [],
      cited: new Map(),
      untrusted: [],
      guardLife: UNGUARDED,
      approval: 'manual' as const,
    };
    const { insights } = decideInsights({ ...nothing, knowledge, document: EMPTY_DOCUMENT, refine: true }, { sha256 });
    const recoveries = insights.filter(({ insight }) => insight.kind === 'recovery');
    expect(recoveries.length).toBeGreaterThan(2);
    for (const { gates, tier } of recoveries) {
      expect(gates.filter((gate) => !gate.pass)).toEqual([]);
      expect(gates.find(({ gate }) => gate === 'taint')).toMatchObject({ waits: true, reason: expect.stringMatching(/no advice/) });
      expect(tier).toBe('untrusted');
    }
    expect(insights).toEqual(recoveries);
  });
});
