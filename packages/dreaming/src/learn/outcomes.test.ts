import { describe, expect, it } from 'vitest';
import type { DecisionPoint } from '../episodes/episode.ts';
import { followedBy, isHarmful, type StoredValues } from './outcomes.ts';

describe('an insight is harmful', () => {
  it.each([
    [100, 3, false],
    [3, 3, false],
    [2, 3, true],
    [0, 3, true],
    [0, 2, false],
    [0, 0, false],
  ])('that helped %d principals and misled %d: %j', (helpful, harmful, expected) => {
    expect(isHarmful({ helpful, harmful })).toBe(expected);
  });

  it('only when it was counted', () => {
    expect(isHarmful(undefined)).toBe(false);
  });
});

describe('a decision follows an insight', () => {
  const stored: StoredValues = new Map([['refunds', { tool: 'route', field: 'queue', value: 'billing', version: 4 }]]);
  const followed = ({ version = 4, ...change }: Partial<DecisionPoint> & { version?: number } = {}): string[] => {
    const given = [{ store: 'memstore_1', insight_id: 'refunds', version }];
    const decision = { tool: 'route', field: 'queue', chosen: 'billing', given, ...change } as DecisionPoint;
    return followedBy(decision, { store: 'memstore_1', stored }).map(({ insight }) => insight);
  };

  it('that it was given and whose value it chose', () => {
    expect(followed()).toEqual(['refunds']);
    expect(followed({ version: 5 })).toEqual(['refunds']);
  });

  it.each<[what: string, change: Parameters<typeof followed>[0]]>([
    ['chose another value', { chosen: 'account' }],
    ['is on another field', { field: 'priority' }],
    ['is on another tool', { tool: 'answer' }],
    ['was given it in an older wording', { version: 3 }],
    ['was given one of another store', { given: [{ store: 'memstore_2', insight_id: 'refunds', version: 4 }] }],
    ['was given one that is gone', { given: [{ store: 'memstore_1', insight_id: 'gone', version: 4 }] }],
  ])('and none that %s', (_what, change) => {
    expect(followed(change)).toEqual([]);
  });
});
