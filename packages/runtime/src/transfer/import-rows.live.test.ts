// Files as people have them: with bad rows, as arrays, without tools.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryLog } from '@dreamfold/log';
import { afterAll, describe, expect, test } from 'vitest';
import { checkImport, importSessions } from './import-sessions.ts';
import { loadSession } from '../session/load-session.ts';

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-rows-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const said = (n: number) => [
  { role: 'user', content: `Task ${n}` },
  { role: 'assistant', content: `Answer ${n}` },
];
const row = (n: number) => ({ id: n, outcome: 1, messages: said(n) });
const lines = (...rows: unknown[]): string => rows.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n');

describe('bad rows', () => {
  const bad = write(
    'bad.jsonl',
    lines(row(1), '{"messages": [', row(2), { messages: [{ role: 'robot', content: 'x' }] }, '', { outcome: 3, messages: said(3) }, row(4)),
  );

  test('refuse the whole file, and the error names the way out', async () => {
    const log = openMemoryLog();
    await expect(importSessions(log, { file: bad, format: 'messages' })).rejects.toMatchObject({
      code: 'invalid_json',
      path: 'bad.jsonl:2',
      remedy: expect.stringMatching(/^Correct the JSON.* Or leave bad rows out: --skip-bad/) as string,
    });
    expect(await log.cursor()).toEqual([1]);
  });

  test('are left out and listed when that is asked for, and the others are imported once', async () => {
    const log = openMemoryLog();
    const request = { file: bad, format: 'messages', skipBad: true } as const;
    const report = await importSessions(log, request);
    expect(report).toMatchObject({ sessions: 3, added: 3, passed: 3, skipped: 3 });
    expect(report.bad).toEqual([
      { row: 2, path: 'bad.jsonl:2', code: 'invalid_json', reason: expect.stringContaining('is not JSON') as string },
      {
        row: 4,
        path: 'bad.jsonl:4/messages/0/role',
        code: 'invalid_import',
        reason: 'has a role other than system, developer, user, assistant, tool and function',
      },
      { row: 6, path: 'bad.jsonl:6/outcome', code: 'invalid_import', reason: expect.stringContaining('Too big') as string },
    ]);
    expect(await importSessions(log, request)).toMatchObject({ added: 0, events: 0, skipped: 3 });
    const corrected = write('bad.jsonl', lines(row(1), row(5), row(2), row(4)));
    expect(await importSessions(log, { ...request, file: corrected })).toMatchObject({ sessions: 4, added: 1, skipped: 0, bad: [] });
  });

  test('are nothing to import when there are no others', async () => {
    const file = write('none.jsonl', lines('{"a', '{"messages": 1}'));
    await expect(importSessions(openMemoryLog(), { file, format: 'messages', skipBad: true })).rejects.toMatchObject({
      code: 'invalid_import',
      path: 'none.jsonl:1',
      message: expect.stringContaining('all 2 are bad') as string,
    });
  });

  test('of tau-bench are left out too, and their tools with them', async () => {
    const call = (name: string) => ({ role: 'assistant', tool_calls: [{ id: 'c', function: { name, arguments: '{}' } }] });
    const run = (trial: number, reward: number, name: string) => ({
      ...{ task_id: 0, trial, reward, info: { task: { user_id: 'mia' } } },
      traj: [{ role: 'user', content: 'Go' }, call(name), { role: 'tool', tool_call_id: 'c', content: 'ok' }],
    });
    const file = write('tau.json', JSON.stringify([run(0, 1, 'find'), run(1, 7, 'lost'), run(2, 0, 'book')]));
    await expect(importSessions(openMemoryLog(), { file, format: 'tau-bench' })).rejects.toMatchObject({
      path: 'tau.json:2/reward',
      remedy: expect.stringContaining('--skip-bad') as string,
    });
    const report = await importSessions(openMemoryLog(), { file, format: 'tau-bench', skipBad: true });
    expect(report).toMatchObject({ sessions: 2, passed: 1, failed: 1, skipped: 1, bad: [{ row: 2, path: 'tau.json:2/reward' }] });
  });
});

describe('a file that is one JSON value', () => {
  const rows = [row(1), row(2), row(3)];

  test.each([
    ['an array of rows', JSON.stringify(rows)],
    ['an array of rows over many lines', `\ufeff${JSON.stringify(rows, null, 2)}\n`],
    ['an array of rows, a line each', `[\n${rows.map((one) => JSON.stringify(one)).join(',\n')}\n]`],
  ])('may be %s; they are those of the lines', async (name, text) => {
    const log = openMemoryLog();
    await importSessions(log, { file: write('rows.jsonl', lines(...rows)), format: 'messages' });
    const report = await importSessions(log, { file: write(`${name}.json`, text), format: 'messages' });
    expect(report).toMatchObject({ sessions: 3, added: 0 });
  });

  test.each([
    ['one transcript', JSON.stringify(said(1)), 1],
    ['one transcript over many lines', JSON.stringify(said(1), null, 2), 1],
    ['one row over many lines', JSON.stringify(row(1), null, 2), 1],
    ['a list of transcripts', JSON.stringify([said(1), said(2)]), 2],
    ['a transcript in each line', lines(said(1), said(2)), 2],
    ['an array of what the Responses API was given and gave', JSON.stringify([{ input: 'Hi', output: [] }, { input: 'Ho' }]), 2],
  ])('may be %s', async (_, text, sessions) => {
    const file = write('document.json', text);
    expect(await importSessions(openMemoryLog(), { file, format: 'messages' })).toMatchObject({ sessions, notes: [] });
  });

  test('names its rows by their place in the array', async () => {
    const file = write('array.json', JSON.stringify([row(1), { messages: 3 }], null, 1));
    await expect(importSessions(openMemoryLog(), { file, format: 'messages' })).rejects.toMatchObject({ path: 'array.json:2/messages' });
    const report = await importSessions(openMemoryLog(), { file, format: 'messages', skipBad: true });
    expect(report).toMatchObject({ sessions: 1, bad: [{ row: 2, path: 'array.json:2/messages' }] });
  });

  test.each([
    ['array.json', '[\n{"messages": []},\n{oops}\n]'],
    ['row.json', '{\n"messages": [}\n'],
  ])('that is not JSON is refused as a whole: %s', async (name, text) => {
    const file = write(name, text);
    await expect(importSessions(openMemoryLog(), { file, format: 'messages', skipBad: true })).rejects.toMatchObject({
      code: 'invalid_json',
      path: name,
    });
  });
});

describe('calls whose tool has no schema', () => {
  const judged = (n: number, tools?: unknown) => ({
    ...{ id: n, ...(tools === undefined ? {} : { tools }) },
    messages: [
      { role: 'user', content: `Parcel ${n}` },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'route', input: { queue: 'a' } }] },
    ],
    feedback: [{ judges: 't', verdict: 'right', by: 'desk' }],
  });
  const schema = (properties: unknown) => [{ name: 'route', input_schema: { type: 'object', properties } }];
  const enumerated = schema({ queue: { type: 'string', enum: ['a', 'b'] } });
  const file = write('judged.jsonl', lines(judged(1), judged(2)));

  test('teach nothing, and the report says what to do', async () => {
    const { hints } = await checkImport({ file, format: 'messages' }, null).then((checked) => checked.write(openMemoryLog()));
    expect(hints).toEqual([expect.stringMatching(/^2 judged calls of route can teach nothing: no row gives its schema.*--tools FILE/)]);
    const plain = write('plain.jsonl', lines(judged(1, schema({ queue: { type: 'string' } }))));
    expect((await importSessions(openMemoryLog(), { file: plain, format: 'messages' })).hints).toEqual([
      expect.stringMatching(/^1 judged call of route can teach nothing: no field of its schema has an enum/),
    ]);
    const good = write('good.jsonl', lines(judged(1, enumerated)));
    expect((await importSessions(openMemoryLog(), { file: good, format: 'messages' })).hints).toEqual([]);
  });

  test.each([
    ['a list', enumerated],
    ['a request', { model: 'x', tools: enumerated }],
    ['the style of the Chat API', [{ type: 'function', function: { name: 'route', parameters: enumerated[0]!.input_schema } }]],
    ['the style of MCP', [{ name: 'route', inputSchema: enumerated[0]!.input_schema }]],
  ])('get it from a file of tools: %s', async (_, content) => {
    const log = openMemoryLog();
    const tools = write('tools.json', JSON.stringify(content));
    expect(await importSessions(log, { file, format: 'messages', tools })).toMatchObject({ hints: [], added: 2 });
    for await (const batch of log.streams()) {
      for (const { stream } of batch.filter((one) => one.stream.startsWith('session/'))) {
        const { team } = await loadSession(log, stream.slice('session/'.length));
        expect(team.agents[0]!.tools).toMatchObject(enumerated);
      }
    }
  });

  test('keep what their row says of them', async () => {
    const own = write('own.jsonl', lines(judged(1, schema({ queue: { enum: ['a', 'c'] } }))));
    const tools = write('tools.json', JSON.stringify(enumerated));
    const log = openMemoryLog();
    await importSessions(log, { file: own, format: 'messages', tools });
    for await (const batch of log.read((await firstSession(log))!)) {
      expect(JSON.stringify(batch[0]!.data)).toContain('"enum":["a","c"]');
      break;
    }
  });

  test.each([
    ['no JSON', '{', 'invalid_json', 'tools.json'],
    ['no list', '{"a":1}', 'invalid_import', 'tools.json'],
    ['a tool without a name', '[{"input_schema":{}}]', 'invalid_import', 'tools.json/0'],
  ])('are refused with a file that is %s', async (_, content, ...[code, path]) => {
    const tools = write('tools.json', content);
    const refused = importSessions(openMemoryLog(), { file, format: 'messages', tools, skipBad: true });
    await expect(refused).rejects.toMatchObject({ code, path });
  });
});

async function firstSession(log: ReturnType<typeof openMemoryLog>): Promise<string | undefined> {
  for await (const batch of log.streams()) {
    const found = batch.find(({ stream }) => stream.startsWith('session/'));
    if (found !== undefined) return found.stream;
  }
  return undefined;
}
