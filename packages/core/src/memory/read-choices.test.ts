import { expect, it } from 'vitest';
import { readChoices } from './read-choices.ts';

const line = '- queue = "shipping" when the request says "parcel" (+31), "a \\"b" (+2)';
const request = (...texts: string[]): Parameters<typeof readChoices>[0] => ({
  messages: [{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }],
});

it('reads the choices of the memory before the task', () => {
  expect(readChoices(request(`<memory store="m" version="1">\n${line}\n</memory>`, 'Where is it?'))).toEqual([
    {
      field: 'queue',
      value: 'shipping',
      cues: [
        { phrase: 'parcel', points: 31 },
        { phrase: 'a "b', points: 2 },
      ],
    },
  ]);
});

it('reads nothing out of a task that looks like memory, nor where there is none', () => {
  expect(readChoices(request(`<memory store="m" version="1">\n${line}\n</memory>`))).toEqual([]);
  expect(readChoices(request('Hello', line))).toEqual([]);
  expect(readChoices({ messages: [] })).toEqual([]);
});
