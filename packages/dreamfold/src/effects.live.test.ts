import { sha256 } from '@dreamfold/runtime';
import { evolveEffects, idempotencyKeyOf, initialEffects } from '@dreamfold/views';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, tool, type LogEvent } from './index.ts';

test('the ledger of effects has the keys that the tools were given', async () => {
  const keys: string[] = [];
  const pay = tool({
    ...{ name: 'pay', description: 'Pays.', input: z.object({ euro: z.number(), note: z.string().default('-') }), effect: 'keyed' },
    run: (_, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      return 'Paid.';
    },
  });
  const df = await open();
  const lead = agent({ name: 'desk', system: 'Pay.', tools: [pay] });
  const session = await df.run(
    lead,
    '@script [{"tool":"pay","input":{"euro":1}},{"tool":"pay","input":{"euro":2,"note":"x"}},{"say":"Done."}]',
  );
  await session.done();
  const events: LogEvent[] = [];
  for await (const event of df.events(session.id)) events.push(event);
  const { effects } = events.reduce(evolveEffects, initialEffects(session.id));
  expect(effects).toMatchObject([
    { tool: 'pay', effect: 'keyed', status: 'done', result: 'Paid.' },
    { input: { euro: 2, note: 'x' }, status: 'done' },
  ]);
  expect(effects.map((effect) => idempotencyKeyOf(session.id, effect, sha256))).toEqual(keys);
  await df.close();
});
