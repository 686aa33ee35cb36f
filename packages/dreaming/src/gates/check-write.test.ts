import type { Memory, MemoryDocument } from '@dreamfold/core';
import type { ChoiceInsight } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { checkWrite, type DirectWrite } from './check-write.ts';
import { forbiddenPhrase } from './constitution.ts';

const KEY = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('');
const document = (memories: Record<string, Memory>): MemoryDocument => ({ memories });
const note = (content: string): Memory => ({ kind: 'note', content });

function write(memory: Memory, change: Partial<DirectWrite> = {}): () => void {
  const operations = [{ op: 'add' as const, path: '/memories/~1a.md', value: memory }];
  const [before, after] = [document({}), document({ '/a.md': memory })];
  return () => checkWrite({ operations, before, after, reason: 'r', constitution: [], ...change });
}

const insight = (phrase: string): ChoiceInsight => ({
  ...{ kind: 'choice', id: 'i', tool: 'route', field: 'queue', value: 'billing', support: { sessions: 3, principals: 3 } },
  cues: [{ phrase, points: 9, sessions: 3, principals: 3 }],
});
const playbook = (phrase: string): Memory => ({ kind: 'playbook', title: 'Routing', insights: { i: insight(phrase) } });

describe('what a person writes', () => {
  it('passes when there is nothing wrong with it', () => {
    expect(write(note('Be brief.'), { constitution: [forbiddenPhrase('refund')] })).not.toThrow();
    expect(write(playbook('refund'))).not.toThrow();
  });

  it.each([
    ['a secret in a note', write(note(`Use ${KEY}`)), 'secret_detected'],
    ['a secret in a cue', write(playbook(KEY)), 'secret_detected'],
    ['a secret in its reason', write(note('Be brief.'), { reason: `As with ${KEY}` }), 'secret_detected'],
    ['what a reader does not see', write(note('Be\u200b brief.')), 'suspicious_unicode'],
    ['what a rule forbids', write(note('Never refund.'), { constitution: [forbiddenPhrase('never refund')] }), 'precondition_failed'],
    ['an insight that a rule forbids', write(playbook('refund'), { constitution: [forbiddenPhrase('refund')] }), 'precondition_failed'],
  ])('is refused with %s', (_what, writing, code) => {
    expect(writing).toThrow(expect.objectContaining({ code }));
  });

  it('is judged by what is new: what was there before is left alone', () => {
    const before = document({ '/a.md': playbook('refund') });
    const after = document({ '/a.md': { ...before.memories['/a.md']!, title: 'Desk' } as Memory });
    const operations = [{ op: 'replace' as const, path: '/memories/~1a.md/title', value: 'Desk' }];
    const constitution = [forbiddenPhrase('refund')];
    expect(() => checkWrite({ operations, before, after, reason: 'r', constitution })).not.toThrow();
  });
});
