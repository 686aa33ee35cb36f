import { isDreamfoldError, type ChoiceInsight, type PatchOperation, type RecoveryInsight } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { proposedText, withProposedText } from './proposed-text.ts';

const choice: ChoiceInsight = {
  kind: 'choice',
  id: 'insight_1',
  tool: 'route',
  field: 'queue',
  value: 'billing',
  cues: [
    { phrase: 'refund', points: 21, sessions: 4, principals: 3 },
    { phrase: 'second charge', points: 6, sessions: 3, principals: 2 },
  ],
  support: { sessions: 3, principals: 2 },
};
const recovery: RecoveryInsight = {
  kind: 'recovery',
  id: 'insight_2',
  tool: 'book',
  signature: 'no seats on "<name>"',
  next: 'search',
  support: { sessions: 3, principals: 3 },
};
const writing = (value: unknown): PatchOperation[] => [
  { op: 'test', path: '/memories/~1p/insights/insight_1', value: 1 },
  { op: 'replace', path: '/memories/~1p/insights/insight_1', value },
];
const edited = (value: unknown, text: string): unknown => {
  const operations = withProposedText(writing(value), text);
  const [, write] = operations ?? [];
  return write?.op === 'replace' ? write.value : null;
};

describe('the text of a patch', () => {
  it('is a note as it is, an insight as agents read it, and nothing for a retirement', () => {
    expect(proposedText(writing({ kind: 'note', content: 'Be brief.\n' }))).toBe('Be brief.\n');
    expect(proposedText(writing(choice))).toBe('queue = "billing" when the request says\n"refund" (+21)\n"second charge" (+6)\n');
    expect(proposedText(writing(recovery))).toBe(
      'after the error "no seats on \\"\\u003cname>\\"", runs that went well went on with search\n',
    );
    expect(proposedText([{ op: 'remove', path: '/memories/~1a' }])).toBe(null);
    expect(proposedText([...writing(choice), ...writing(recovery)])).toBe(null);
  });

  it('read back unchanged is no edit, whatever its line breaks', () => {
    for (const value of [choice, recovery]) expect(withProposedText(writing(value), proposedText(writing(value))!)).toBe(null);
    expect(edited(choice, '- queue = "billing" when the request says "refund" (+21), "second charge" (+6)')).toBe(null);
    expect(edited({ kind: 'note', content: 'x' }, 'x')).toBe(null);
  });

  it('can lose a cue, change its points, and gain one that nothing bears out yet', () => {
    expect(edited(choice, 'queue = "billing" when the request says "refund" (+9)\n"money" (+4)')).toEqual({
      ...choice,
      cues: [
        { phrase: 'refund', points: 9, sessions: 4, principals: 3 },
        { phrase: 'money', points: 4, sessions: 0, principals: 0 },
      ],
    });
  });

  it('loses its counts with another value', () => {
    const { value, cues } = edited(choice, 'queue = "sales" when the request says "refund" (+21)') as ChoiceInsight;
    expect([value, cues]).toEqual(['sales', [{ phrase: 'refund', points: 21, sessions: 0, principals: 0 }]]);
  });

  it('of a note or a recovery takes the place of the former', () => {
    expect(edited({ kind: 'note', content: 'x' }, 'y\n')).toEqual({ kind: 'note', content: 'y\n' });
    const text = proposedText(writing(recovery))!;
    expect(edited(recovery, text.replace('search', 'a message to the user'))).toEqual({ ...recovery, next: 'respond' });
    expect(edited(recovery, text.replace('search', '"a tool"'))).toEqual({ ...recovery, next: 'a tool' });
  });

  const BAD: [what: string, value: unknown, text: string][] = [
    ['an empty text', choice, ' \n'],
    ['prose', choice, 'Route refunds to billing.'],
    ['another field', choice, 'desk = "billing" when the request says "refund" (+21)'],
    ['no cue', choice, 'queue = "billing" when the request says'],
    ['more than cues', choice, 'queue = "billing" when the request says "refund" (+21) and so on'],
    ['a cue without points', choice, 'queue = "billing" when the request says "refund"'],
    ['a cue of no points', choice, 'queue = "billing" when the request says "refund" (+0)'],
    ['an empty cue', choice, 'queue = "billing" when the request says "" (+3)'],
    ['a broken escape', choice, 'queue = "billing" when the request says "a\\q" (+3)'],
    ['another error', recovery, 'after the error "x", runs that went well went on with search'],
    ['a patch without text', null, 'x'],
  ];
  it.each(BAD)('is refused when it is %s', (...[, value, text]) => {
    expect(() => withProposedText(writing(value), text)).toThrow(expect.toSatisfy((error) => isDreamfoldError(error, 'invalid_argument')));
  });
});
