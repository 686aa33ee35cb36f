import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EVENT_VERSION, MAX_EVENT_BYTES, checkPayload, eventId, type EventType } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { initialSession } from '../session/fold/state.ts';
import { evolveSession } from '../session/fold/evolve.ts';
import { openWork } from '../session/decide.ts';
import { parseTauBench } from './tau-bench.ts';

const repository = resolve(import.meta.dirname, '../../../..');
const file = join(resolve(repository, process.env['DREAMFOLD_DATA'] ?? '../shared/data'), 'tau-airline/gpt-4o-airline.json');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

describe('the recorded airline runs of sierra-research/tau-bench', () => {
  const found = existsSync(file);
  it.skipIf(found)(
    'needs gpt-4o-airline.json of the public data set sierra-research/tau-bench; DREAMFOLD_DATA names its folder',
    (test) => {
      test.skip(`there is no ${file}`);
    },
  );

  it.skipIf(!found)('become 200 sessions with every call, error and reward', { timeout: 60_000 }, () => {
    const sessions = parseTauBench(readFileSync(file, 'utf8'), { source: file, sha256, agent: 'airline' });
    const events = sessions.flatMap((session) => session.appends.flatMap((append) => append.events));
    const count = (type: string, holds: (data: any) => boolean = () => true): number =>
      events.filter((event) => event.type === type && holds(event.data)).length;

    for (const event of events) checkPayload(event.type, EVENT_VERSION[event.type as EventType], event.data);
    expect(Math.max(...events.map((event) => Buffer.byteLength(JSON.stringify(event.data))))).toBeLessThan(MAX_EVENT_BYTES);
    expect(new Set(sessions.map((session) => session.sessionId)).size).toBe(200);
    expect(count('agent.tool_use')).toBe(1164);
    expect(count('agent.tool_result')).toBe(1164);
    expect(count('agent.tool_result', (data) => data.is_error === true)).toBe(73);
    expect(count('outcome.imported', (data) => data.score === 1)).toBe(84);
    expect(count('user.message')).toBe(1490);
    expect(sessions.flatMap((session) => session.notes)).toEqual([]);
  });

  it.skipIf(!found)('fold to sessions that are over: idle, scored, nothing queued and nothing to perform', () => {
    for (const session of parseTauBench(readFileSync(file, 'utf8'), { source: file, sha256 })) {
      let state = initialSession(session.sessionId);
      for (const append of session.appends) {
        for (const [i, event] of append.events.entries()) {
          const id = eventId(append.id, i);
          const place = {
            position: 1,
            stream: session.stream,
            seq: state.seq + 1,
            id,
            time: 0,
            v: 1,
            causation: null,
            correlation: null,
            hash: '',
          };
          state = evolveSession(state, { ...place, type: event.type, actor: event.actor, data: event.data });
        }
      }
      expect(state).toMatchObject({ seq: session.eventCount, status: 'idle', queue: [], suspended: null });
      expect(state.importedScore).not.toBeNull();
      expect(openWork(state)).toEqual([]);
    }
  });
});
