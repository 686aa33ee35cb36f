// What a dream reads in imported sessions of several agents, whose tools are told in a file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { open } from './index.ts';
import { temporaryDirectory } from './testing/log-fixtures.ts';

const row = (n: number) => ({
  id: n,
  principal: `customer-${n}`,
  created_at: 1_735_689_600 + n,
  messages: [
    { role: 'user', content: `My parcel ${n} is late` },
    { role: 'assistant', name: 'triage', content: 'One moment.' },
    { role: 'assistant', name: 'router', tool_calls: [{ id: 't', function: { name: 'route', arguments: '{"queue":"billing"}' } }] },
    { role: 'tool', tool_call_id: 't', content: 'ok' },
  ],
  feedback: [{ judges: 't', verdict: 'wrong', right_answer: { queue: 'shipping' }, by: 'desk' }],
});

test.each([
  ['without the schema of the tool teach nothing', false, { sessions: 6, decisions: 0, labelled: 0 }, 1],
  ['with it are decisions of the specialist, with their labels', true, { sessions: 6, decisions: 6, labelled: 6 }, 0],
])('sessions of several agents %s', async (...[, withTools, reviewed, hints]) => {
  const directory = temporaryDirectory();
  const file = join(directory, 'runs.jsonl');
  writeFileSync(file, Array.from({ length: 6 }, (_row, n) => JSON.stringify(row(n))).join('\n'));
  const tools = join(directory, 'tools.json');
  const queue = { type: 'string', enum: ['billing', 'shipping'] };
  writeFileSync(tools, JSON.stringify([{ name: 'route', input_schema: { type: 'object', properties: { queue } } }]));

  const df = await open();
  const report = await df.import({ file, format: 'messages', ...(withTools ? { tools } : {}) });
  expect(report).toMatchObject({ added: 6, skipped: 0 });
  expect(report.hints).toHaveLength(hints);
  await df.memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  expect((await df.dream({ store: 'desk' })).reviewed).toEqual(reviewed);
  for await (const id of df.sessions()) {
    const { createdAt, now, threads } = await df.session(id);
    expect([new Date(createdAt).getUTCFullYear(), threads.map(({ agent }) => agent)]).toEqual([2025, ['triage', 'router']]);
    expect(now).toBeGreaterThan(Date.UTC(2026));
  }
  await df.close();
});
