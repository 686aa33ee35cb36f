import { createHash } from 'node:crypto';
import { EMPTY_DOCUMENT, withProposedText, proposedText } from '@dreamfold/core';
import { isDreamfoldError, type GateVerdict, type Insight, type PatchOperation } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { decideInsights } from './decide-insights.ts';
import { forbiddenPhrase } from './gates/constitution.ts';
import { hasPassed } from './gates/judge.ts';
import { recoveryId } from './insight-id.ts';
import { judgeEdit, type EditInput, type JudgedEdit } from './judge-edit.ts';
import { UNGUARDED } from './learn/guard/guard-life.ts';
import { learn, newKnowledge } from './learn/knowledge.ts';
import { episode, type Ticket } from './testing/tickets.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const tickets: Ticket[] = [
  ['ann', 'billing', 'A refund of my money please today'],
  ['bob', 'billing', 'Where is the refund of my money today'],
  ['cem', 'billing', 'Refund my money at once today'],
  ['eva', 'technical', 'The app crashes today'],
  ['fay', 'technical', 'It crashes on start today'],
  ['gus', 'technical', 'Why crashes it again today'],
];
const knowledge = newKnowledge();
for (const one of tickets.map((ticket, i) => episode(ticket, i))) learn(knowledge, one, { store: 'memstore_1', stored: new Map() });

const dreamt = decideInsights(
  {
    knowledge,
    document: EMPTY_DOCUMENT,
    counts: new Map(),
    proposed: [],
    prior: () => undefined,
    constitution: [],
    suggestions: [],
    cited: new Map(),
    untrusted: [],
    guardLife: UNGUARDED,
    refine: true,
    approval: 'manual',
  },
  { sha256 },
);
const billing = dreamt.insights.find(({ insight }) => insight.kind === 'choice' && insight.value === 'billing')!;

function edit(change: (text: string) => string, more: Partial<EditInput> = {}): JudgedEdit {
  const before = more.before ?? billing.operations;
  const after = withProposedText(before, change(proposedText(before)!))!;
  const { evidence, gates } = billing;
  const now = { document: EMPTY_DOCUMENT, counts: new Map(), knowledge, constitution: [], untrusted: [], note: '' };
  return judgeEdit({ ...now, evidence, gates, ...more, before, after }, sha256);
}

const stoppedBy = (gates: readonly GateVerdict[]): string => gates.find((gate) => !gate.pass)?.gate ?? 'passed';
const written = ({ operations }: JudgedEdit): unknown => (operations.at(-1) as PatchOperation & { op: 'add' }).value;
const withCue = (cue: string) => (text: string) => `${text}"${cue}" (+5)\n`;

describe('an edit', () => {
  it('of fewer words or other points is what was weighed before', () => {
    const lines = proposedText(billing.operations)!.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    const shorter = edit(() => lines.slice(0, 2).join('\n'));
    expect(stoppedBy(shorter.gates)).toBe('passed');
    // The reason is that of what it says now.
    const words = (text: string): string[] => [...text.matchAll(/"([^"]+)"/g)].map(([, word]) => word!);
    expect(words(shorter.reason)).toEqual(words(lines.slice(1, 2).join('')));
    expect(words(billing.reason).length).toBeGreaterThan(1);
    expect(shorter.evidence).toEqual(billing.evidence);
    expect(written(shorter)).toMatchObject({ id: billing.insight.id, cues: [{ sessions: 3, principals: 3 }], support: { principals: 3 } });
    expect(stoppedBy(edit((text) => text.replace(/\+\d+/, '+99')).gates)).toBe('passed');
  });

  it('with a new word needs the quorum for it, and cites what bears it out', () => {
    const fewer = edit((text) => text.replace(/^"money".*\n/m, ''));
    const again = edit(withCue('money'), { before: fewer.operations, evidence: ['session/sesn_1#1'] });
    expect(stoppedBy(again.gates)).toBe('passed');
    expect(again.evidence.length).toBeGreaterThan(3);
    expect(written(again)).toMatchObject({ cues: expect.arrayContaining([{ phrase: 'money', points: 5, sessions: 3, principals: 3 }]) });
    expect(stoppedBy(edit(withCue('crashes')).gates)).toBe('quorum');
    expect(stoppedBy(edit(withCue('never said')).gates)).toBe('quorum');
  });

  it('with a new word that goes with another value as well is stopped, as a suggestion of it would be', () => {
    expect(stoppedBy(edit(withCue('today')).gates)).toBe('precision');
  });

  it('may say again what the store says under the same id, which it takes the place of', () => {
    const fewer = edit((text) => text.replace(/^"money".*\n/m, ''));
    const insights = { [billing.insight.id]: written({ ...fewer, operations: billing.operations }) as Insight };
    const document = { memories: { '/p.md': { kind: 'playbook' as const, title: 'p', insights } } };
    expect(stoppedBy(edit(withCue('money'), { before: fewer.operations, document }).gates)).toBe('passed');
  });

  it('with another value has to be borne out anew, and the tool has to allow it', () => {
    expect(stoppedBy(edit((text) => text.replace('billing', 'technical')).gates)).toBe('quorum');
    expect(stoppedBy(edit((text) => text.replace('billing', 'nowhere')).gates)).toBe('value');
  });

  it('is held against the constitution, and goes nowhere without the rules that the former was held against', () => {
    const constitution = [forbiddenPhrase('queue billing')];
    const ruled = edit((text) => text.replace(/\+\d+/, '+99'), { constitution });
    expect(ruled.gates.at(-1)).toMatchObject({ gate: 'constitution', pass: false, reason: expect.stringContaining('queue billing') });
    const gates = [{ gate: 'constitution', pass: true, reason: '', rules: 1 }];
    expect(() => edit((text) => text.replace(/\+\d+/, '+99'), { gates })).toThrow(
      expect.toSatisfy((error) => isDreamfoldError(error, 'precondition_failed')),
    );
    const passed = edit((text) => text.replace(/\+\d+/, '+99'), { gates, constitution: [forbiddenPhrase('something else')] });
    expect(passed.gates.find(({ gate }) => gate === 'constitution')).toMatchObject({ pass: true, rules: 1 });
  });

  it('of a note is read as free text', () => {
    const before: PatchOperation[] = [{ op: 'add', path: '/memories/~1tone.md', value: { kind: 'note', content: 'Be kind.' } }];
    const note = (content: string, more: Partial<EditInput> = {}): string => stoppedBy(edit(() => content, { before, ...more }).gates);
    expect(note('Be kind and brief.')).toBe('passed');
    expect(note(`Log in with ghp_${'a1B2'.repeat(9)}`)).toBe('secrets');
    expect(note('Be kind.\u{e0041}')).toBe('unicode');
    expect(note('A refund of my money please, at once.', { untrusted: ['A refund of my money please'] })).toBe('overlap');
    expect(note('Be kind.\n', { note: `ghp_${'a1B2'.repeat(9)}` })).toBe('secrets');
    expect(note('Never mention the fees.', { constitution: [forbiddenPhrase('mention the fees')] })).toBe('constitution');
  });

  it('of what runs did next is borne out by runs that did so', () => {
    const insight = {
      kind: 'recovery',
      id: recoveryId({ tool: 'book', signature: 'full' }, sha256),
      tool: 'book',
      signature: 'full',
      next: 'search',
      support: { sessions: 3, principals: 3 },
    };
    const before: PatchOperation[] = [{ op: 'add', path: '/memories/~1p/insights/i', value: insight }];
    const known = newKnowledge();
    for (const n of [1, 2, 3]) {
      const error = {
        session: `s${n}`,
        principal: `p${n}`,
        tool: 'book',
        signature: 'full',
        own: ['full'],
        next: 'cancel',
        evidence: `session/s${n}#4`,
      };
      known.recoveries.set('book full', new Map([['cancel', [...(known.recoveries.get('book full')?.get('cancel') ?? []), error]]]));
    }
    const cancel = edit((text) => text.replace('search', 'cancel'), { before, knowledge: known });
    expect([hasPassed(cancel.gates), cancel.gates.some(({ waits }) => waits)]).toEqual([true, true]);
    expect(written(cancel)).toMatchObject({ next: 'cancel', support: { sessions: 3, principals: 3 } });
    expect(stoppedBy(edit((text) => text.replace('search', 'cancel'), { before }).gates)).toBe('quorum');
  });
});
