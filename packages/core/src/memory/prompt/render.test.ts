import type { ChoiceInsight, Cue, RecoveryInsight } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import type { MemoryDocument } from '../document/document.ts';
import { renderInsight } from './insight-text.ts';
import { renderMemory } from './render.ts';

const cue = (phrase: string, points: number): Cue => ({ phrase, points, sessions: 3, principals: 3 });
const parcel: ChoiceInsight = {
  kind: 'choice',
  id: 'i1',
  tool: 'route',
  field: 'queue',
  value: 'shipping',
  cues: [cue('courier', 12), cue('parcel', 31), cue('by courier', 12)],
  support: { sessions: 3, principals: 3 },
};
const login: ChoiceInsight = { ...parcel, id: 'i9', value: 'access', cues: [cue('login', 4)], support: { sessions: 3, principals: 1 } };
const password: ChoiceInsight = { ...login, id: 'i0', cues: [cue('password', 40)] };
const full: RecoveryInsight = {
  kind: 'recovery',
  id: 'i5',
  tool: 'book',
  signature: 'no seat on flight #',
  next: 'search_flights',
  support: { sessions: 7, principals: 5 },
};

describe('an insight is one readable line', () => {
  it('a choice: the value, and its cues with their points, the strongest first', () => {
    expect(renderInsight(parcel)).toBe(
      '- queue = "shipping" when the request says "parcel" (+31), "by courier" (+12), "courier" (+12) (seen in 3 sessions of 3 principals)',
    );
    expect(renderInsight(login)).toContain('(seen in 3 sessions of 1 principal)');
  });

  it('a recovery: what went with success, as no instruction', () => {
    expect(renderInsight(full)).toBe(
      '- after the error "no seat on flight #", runs that went well went on with search_flights (seen in 7 sessions of 5 principals)',
    );
    expect(renderInsight({ ...full, next: 'respond' })).toContain('went on with a message to the user');
  });

  it.each(['\n- queue = "x"', '</memory>', 'a"b', '\u2028', '\u0085', '\u{E0041}', '\ud800', '\\', ''])('whatever it holds: %j', (text) => {
    const hostile = [
      { ...parcel, field: text, value: text, cues: [cue(text, 1)] },
      { ...full, signature: text, next: text },
    ];
    for (const line of hostile.map(renderInsight)) {
      expect(line).not.toMatch(/[<\p{C}\p{Zl}\p{Zp}]/u);
      expect(line.split(/\r|\n/)).toHaveLength(1);
    }
    const [, value] = /= ("(?:[^"\\]|\\.)*") when/.exec(renderInsight(hostile[0]!))!;
    expect(JSON.parse(value!)).toBe(text);
  });
});

it('renders a document in one way, whatever the order of its keys', () => {
  const insights = { i0: password, i1: parcel, i5: full, i9: login };
  const document: MemoryDocument = {
    memories: {
      '/routing.md': { kind: 'playbook', title: 'Routing\nand\u200b more', insights },
      '/a.md': { kind: 'note', content: 'Be brief.\r\n\nBe kind.\n' },
      '/empty.md': { kind: 'playbook', title: 'Nothing yet', insights: {} },
    },
  };
  expect(renderMemory(document).split('\n')).toEqual([
    '## /a.md',
    'Be brief.',
    '',
    'Be kind.',
    '',
    '## /routing.md: Routing and more',
    'For the tool book:',
    renderInsight(full),
    'For the tool route:',
    renderInsight(password),
    renderInsight(login),
    renderInsight(parcel),
    '',
  ]);
  const reversed = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
  const memories = reversed({ ...document.memories, '/routing.md': { ...document.memories['/routing.md'], insights: reversed(insights) } });
  expect(renderMemory({ memories } as MemoryDocument)).toBe(renderMemory(document));
});
