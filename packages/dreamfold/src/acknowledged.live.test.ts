import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, tool } from './index.ts';
import { acknowledgedIsReadable, all, placeIn } from './testing/acknowledged.ts';

const CASES = Number(process.env['DREAMFOLD_TEST_CASES'] ?? 20_000);
/** A run that failed is run again with its seed. */
const seed = Number(process.env['DREAMFOLD_TEST_SEED'] ?? Date.now() % 1_000_000_000);

const root = mkdtempSync(join(tmpdir(), 'dreamfold-acknowledged-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let logs = 0;
const LOGS: Record<string, () => Promise<Log>> = {
  memory: async () => openMemoryLog(),
  sqlite: () => openSqliteLog({ directory: join(root, `log-${(logs += 1)}`) }),
};

test.each(Object.keys(LOGS))(`what an append acknowledges, every reader takes: %s, ${CASES} cases, seed ${seed}`, async (name) => {
  const place = placeIn(mkdtempSync(join(root, name)));
  const tally = await acknowledgedIsReadable({ cases: CASES, seed, place, fresh: LOGS[name]! });
  // Cases of which hardly any is taken, or hardly any refused, would show nothing.
  expect(tally.taken).toBeGreaterThan(CASES / 4);
  expect(tally.refused).toMatchObject({
    invalid_argument: expect.any(Number) as number,
    invalid_event: expect.any(Number) as number,
    payload_too_large: expect.any(Number) as number,
    json_too_deep: expect.any(Number) as number,
  });
  console.log(`${name}: ${tally.taken} of ${CASES} appends taken, with ${tally.events} events; refused: ${JSON.stringify(tally.refused)}`);
});

test('a tool may have fields that are named like parts of a prototype', async () => {
  const directory = join(root, 'fields');
  const taken: unknown[] = [];
  const standings = tool({
    name: 'standings',
    description: 'Who leads.',
    input: z.looseObject({ constructor: z.string() }),
    run: (input) => {
      taken.push(input);
      return { constructor: 'Ferrari', points: 7 };
    },
  });
  const input = '{"constructor":"Ferrari","__proto__":{"a":1},"prototype":null}';
  const task = `@script [{"tool":"standings","input":${input}},{"say":"Ferrari."}]`;
  const df = await open({ directory });
  const session = await df.run(agent({ name: 'lead', system: '', tools: [standings] }), task);
  expect(await session.done()).toMatchObject({ text: 'Ferrari.' });
  expect(taken).toHaveLength(1);
  const events = await all(df.log.read(`session/${session.id}`));
  const call = events.find(({ type }) => type === 'agent.tool_use')!;
  expect(JSON.stringify((call.data as { input: unknown }).input)).toBe(input);
  const right = JSON.parse('{"constructor":"Ferrari","prototype":"x"}') as Record<string, string>;
  await df.feedback(session.id, { judges: call.id, verdict: 'right', right_answer: right, by: '\u{1f4a5}'.repeat(97) });
  expect((await df.log.archive.verify()).problems).toEqual([]);
  const file = join(root, 'fields.jsonl');
  const lines: string[] = [];
  for await (const line of df.export()) lines.push(line);
  writeFileSync(file, lines.join(''));
  const copy = await open({ directory: join(root, 'fields-copy') });
  expect(await copy.import({ file, format: 'dreamfold' })).toMatchObject({ added: 1 });
  expect(await copy.log.head(`session/${session.id}`)).toEqual(await df.log.head(`session/${session.id}`));
  await copy.close();
  await df.close();
});
