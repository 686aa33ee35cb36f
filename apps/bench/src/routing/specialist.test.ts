import { readFileSync } from 'node:fs';
import type { ModelRequest } from 'dreamfold';
import { expect, test } from 'vitest';
import { choose, FIELD, specialist, TOOL } from './specialist.ts';

const queues = ['card_lost', 'pin_blocked', 'top_up'];
const tools = specialist(queues).tools.map(({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema }));

type Remembered = [field: string, value: string, ...cues: [phrase: string, points: number][]];

function asked(task: string, remembered: readonly Remembered[] = []): ModelRequest {
  const choices = remembered.map(([field, value, ...cues]) => ({
    tool: TOOL,
    field,
    value,
    cues: cues.map(([phrase, points]) => ({ phrase, points })),
  }));
  const memory = { type: 'memory' as const, mark: 'm', text: '', choices };
  const content = [...(choices.length > 0 ? [memory] : []), { type: 'text' as const, text: task }];
  return { model: 'custom', system: '', tools, maxTokens: 100, messages: [{ role: 'user', content }] };
}

test('goes by the names of the queues while there is no memory', () => {
  expect(choose(asked('My PIN is blocked'))).toMatchObject({ value: 'pin_blocked' });
  expect(choose(asked('The cards are lost')).confidence).toBeGreaterThan(choose(asked('Two cards')).confidence);
});

test('goes by the points that the memory gives', () => {
  const lines: Remembered[] = [
    [FIELD, 'top_up', ['wallet', 9], ['is', 8]],
    [FIELD, 'unknown', ['wallet', 99]],
    ['colour', 'card_lost', ['wallet', 99]],
  ];
  expect(choose(asked('My wallet is empty', lines)).value).toBe('top_up');
  expect(choose(asked('My wallet is empty')).value).toBe('card_lost');
});

test('says how sure it is', () => {
  expect(choose(asked('Hello')).confidence).toBeCloseTo(1 / 3);
  expect(choose(asked('Hello', [[FIELD, 'top_up', ['hello', 80]]])).confidence).toBeGreaterThan(0.99);
});

test('knows no queue and no more words of the data than its own prompt needs', () => {
  const source = readFileSync(new URL('./specialist.ts', import.meta.url), 'utf8');
  expect(source).not.toMatch(/\b(?:card|pin|top_?up|transfer|refund|cash|exchange)\b/i);
  expect(TOOL).toBe('route');
});
