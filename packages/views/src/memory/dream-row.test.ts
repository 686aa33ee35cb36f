import type { LogEvent } from '@dreamfold/events';
import { expect, test } from 'vitest';
import { dreamRowOf, evolveDreamRow, initialDreamRow } from './dream-row.ts';

let seq = 0;

function event(type: string, data: unknown): LogEvent {
  seq += 1;
  return {
    ...{ position: seq, stream: 'dream/drm_1', seq, id: `e${seq}`, time: 0, type, actor: 'system', data },
    ...{ v: 1, causation: null, correlation: null, hash: '' },
  };
}

const started = event('dream.started', { store_id: 'memstore_1' });
const proposed = event('dream.insight_proposed', { insight_id: 'i1' });
const rejected = event('dream.insight_rejected', { insight_id: 'i1', gates: [] });
const failed = event('dream.failed', { error: { type: 'x', message: 'y' } });

test('an insight that two gates have stopped is counted once', () => {
  const row = [started, proposed, rejected, rejected].reduce(evolveDreamRow, initialDreamRow('drm_1'));
  expect(dreamRowOf(row)).toMatchObject({ insights: 1, rejected: 1 });
});

test('a dream changes no more before it has started, and after its end', () => {
  const row = [proposed, started, failed, proposed, started].reduce(evolveDreamRow, initialDreamRow('drm_1'));
  expect(dreamRowOf(row)).toMatchObject({ status: 'failed', insights: 0 });
});
