import type { ChoiceInsight } from '@dreamfold/events';
import type { InsightCounts } from '@dreamfold/core';
import { describe, expect, it } from 'vitest';
import { episode } from '../testing/tickets.ts';
import { learn, newKnowledge } from './knowledge.ts';
import { retirementOf, type RetireContext } from './retirement.ts';
import type { Standing } from './standing.ts';

const insight: ChoiceInsight = {
  ...{ kind: 'choice', id: 'refunds', tool: 'route', field: 'queue', value: 'billing', support: { sessions: 3, principals: 3 } },
  cues: [{ phrase: 'refund', points: 9, sessions: 3, principals: 3 }],
};

/** Whether an insight goes that so many principals followed. @param billing votes of a hundred that its value is right for */
function goes(counts: InsightCounts, billing: number, standing: Standing | null = 'plain'): boolean {
  const knowledge = newKnowledge();
  for (let i = 0; i < 100; i += 1) {
    const right = i < billing ? 'billing' : 'technical';
    learn(knowledge, episode([`p${i}`, right, `about ${right}`], i), { store: 'memstore_1', stored: new Map() });
  }
  const context: RetireContext = {
    knowledge,
    found: new Set(['refunds']),
    tells: () => false,
    turned: () => false,
    counts: new Map([['refunds', counts]]),
    prior: () => ({ evidence: ['session/s1#9'] }) as unknown as ReturnType<RetireContext['prior']>,
    standingOf: () => standing,
  };
  return retirementOf(insight, context) !== null;
}

describe('an insight that misled more than it helped', () => {
  it('goes when chance would have done as well', () => {
    expect(goes({ helpful: 2, harmful: 3 }, 40)).toBe(true);
    expect(goes({ helpful: 0, harmful: 3 }, 1)).toBe(true);
  });

  it('stays when its value is seldom right, and it helped more often than that', () => {
    expect(goes({ helpful: 2, harmful: 3 }, 5)).toBe(false);
  });

  it('goes in any case when the learner did not find it', () => {
    expect(goes({ helpful: 2, harmful: 3 }, 5, null)).toBe(true);
  });
});
