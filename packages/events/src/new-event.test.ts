import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CATALOGUE, type EventType } from './catalogue.ts';
import { newEvent, writeClassOf } from './new-event.ts';

const GOLDEN = new URL('../golden/', import.meta.url);

test('events of a type are of one class: who wrote them, wrote them so ever since', () => {
  const classes = readdirSync(GOLDEN)
    .filter((name) => name.includes('@'))
    .map((name) => JSON.parse(readFileSync(new URL(name, GOLDEN), 'utf8')) as { type: EventType; class: string })
    // Its fixture was written by hand; every import has written it as the owner.
    .filter(({ type }) => type !== 'outcome.imported');
  expect(classes.length).toBeGreaterThanOrEqual(Object.keys(CATALOGUE).length - 1);
  expect(classes.filter((event) => writeClassOf(event.type) !== event.class)).toEqual([]);
});

test('the compiler ties a type to its payload', () => {
  expect(newEvent('message.taken_up', 'system', { message_ids: ['sevt_1'] })).toEqual({
    type: 'message.taken_up',
    class: 'owner',
    actor: 'system',
    data: { message_ids: ['sevt_1'] },
  });
  // @ts-expect-error -- a field that is spelt wrong
  newEvent('message.taken_up', 'system', { message_id: ['sevt_1'] });
  // @ts-expect-error -- the payload of another type
  newEvent('session.status_running', 'system', { nonce: 'n' });
  // @ts-expect-error -- a type that is none
  newEvent('message.taken_upp', 'system', {});
});
