import { expect, test } from 'vitest';
import { prepareAppend, stampAppend } from './append.ts';
import { EMPTY_HEAD } from './rule.ts';

test('what readers would not take for an event is not stamped, whoever has checked it before', () => {
  const message = { type: 'user.message', data: { content: [] }, class: 'open', actor: 'user' } as const;
  const append = prepareAppend({ stream: 'session/a', id: 'a', expected: 0, events: [message, message] }, 1);
  expect(stampAppend(append, EMPTY_HEAD, 'w')).toHaveLength(2);
  const [first, second] = append.events;
  const events = [first!, { ...second!, actor: '\u{1f4a5}'.repeat(201) }];
  expect(() => stampAppend({ ...append, events }, EMPTY_HEAD, 'w')).toThrow(
    expect.objectContaining({ code: 'invalid_event', path: 'events/1', remedy: expect.stringMatching(/\.$/) as string }),
  );
});
