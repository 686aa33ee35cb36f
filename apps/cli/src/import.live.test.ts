import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Workspace } from './testing/dreamfold-process.ts';

const repository = resolve(import.meta.dirname, '../../..');
const airline = join(resolve(repository, process.env['DREAMFOLD_DATA'] ?? '../shared/data'), 'tau-airline/gpt-4o-airline.json');
const workspace = new Workspace();
afterAll(() => workspace.remove());

describe('transcripts', () => {
  const rows = [
    {
      principal: 'acme',
      outcome: 1,
      messages: [
        { role: 'user', content: 'My card was charged twice' },
        {
          role: 'assistant',
          confidence: 0.8,
          reason: 'Says charged.',
          content: [{ type: 'tool_use', id: 't1', name: 'route', input: { queue: 'cards' } }],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'routed' }] },
      ],
      feedback: [{ judges: 't1', verdict: 'wrong', right_answer: { queue: 'billing' }, by: 'desk' }],
    },
    {
      outcome: 0.4,
      messages: [
        { role: 'user', content: 'Line\u2028separators \u00e9' },
        { role: 'assistant', content: 'Hm.' },
      ],
      mood: 'odd',
    },
    { messages: [{ role: 'user', content: 'No outcome' }] },
  ];

  test('become sessions with their calls, decisions, feedback and outcomes; twice is once', async () => {
    workspace.file('runs.jsonl', `\ufeff${rows.map((row) => JSON.stringify(row)).join('\r\n')}\n\n`);
    const first = await workspace.json('import', 'runs.jsonl', '--format', 'messages', '--agent', 'router');
    expect(first).toMatchObject({
      code: 0,
      document: { sessions: 3, added: 3, toolCalls: 1, passed: 1, failed: 1, unscored: 1, notes: [{ path: 'runs.jsonl:2/mood' }] },
    });
    const again = await workspace.json('import', 'runs.jsonl', '--format', 'messages', '--agent', 'router');
    expect(again).toMatchObject({ code: 0, document: { sessions: 3, added: 0, events: 0 } });
    const { stdout: told } = await workspace.run('import', 'runs.jsonl', '--format', 'messages', '--agent', 'router');
    expect(told).toContain(
      '3 sessions with 1 tool call: 1 passed, 1 failed, 1 without an outcome.\n0 sessions added (0 events); 3 there already, which stay as they are.',
    );

    const { document } = await workspace.json('sessions');
    expect(document.sessions.map((row: { score: number | null }) => row.score)).toEqual([1, 0.4, null]);
    const { stdout } = await workspace.run('show', document.sessions[0].id);
    expect(stdout).toContain('router → route {"queue":"cards"}');
    expect(stdout).toContain('sure 0.80: Says charged.');
    expect(stdout).toContain('feedback of desk');
    expect(stdout).toContain('from      messages runs.jsonl:1');
  });

  test('a bad row in the middle writes nothing', async () => {
    workspace.file(
      'bad.jsonl',
      [JSON.stringify({ ...rows[2], id: 1 }), '{"messages": 3}', JSON.stringify({ ...rows[2], id: 2 })].join('\n'),
    );
    const { code, document } = await workspace.json('import', 'bad.jsonl', '--format', 'messages');
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      ...{ code: 'invalid_import', path: 'bad.jsonl:2/messages' },
      remedy: expect.stringContaining('--skip-bad') as string,
    });
    expect((await workspace.json('sessions')).document.total).toBe(3);
  });

  test('--skip-bad takes the others, lists the bad row, and ends with 1', async () => {
    const taken = await workspace.json('import', 'bad.jsonl', '--format', 'messages', '--skip-bad', '--data', 'skipping');
    expect(taken).toMatchObject({
      code: 1,
      document: {
        ...{ sessions: 2, added: 2, skipped: 1, hints: [] },
        bad: [{ row: 2, path: 'bad.jsonl:2/messages', code: 'invalid_import', reason: expect.any(String) as string }],
      },
    });
    const { code, stdout } = await workspace.run('import', 'bad.jsonl', '--format', 'messages', '--skip-bad', '--data', 'skipping');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /0 sessions added \(0 events\); 2 there already, which stay as they are\.\n1 bad row left out:\n {2}bad\.jsonl:2\/messages: /,
    );
    expect(await workspace.json('import', 'bad.jsonl', '--format', 'dreamfold', '--skip-bad')).toMatchObject({
      code: 2,
      document: { error: { code: 'invalid_import', path: 'bad.jsonl:1' } },
    });
  });

  test('--tools names a file of tools, and a bad one refuses the import', async () => {
    workspace.file('tools.json', '[{"name": "route"}]');
    const refused = await workspace.json('import', 'runs.jsonl', '--format', 'messages', '--tools', 'tools.json', '--data', 'untouched');
    expect(refused).toMatchObject({ code: 2, document: { error: { code: 'invalid_import', path: 'tools.json/0' } } });
    expect(existsSync(join(workspace.path, 'untouched'))).toBe(false);
  });

  test('a recording can’t go on', async () => {
    const { document } = await workspace.json('sessions');
    const { id } = document.sessions[0];
    expect(await workspace.json('send', id, 'More?')).toMatchObject({ code: 2, document: { error: { code: 'session_ended' } } });
  });
});

test('of a damaged export --skip-bad restores what is whole, lists the rest, and verify says what is missing', async () => {
  workspace.file('rows.jsonl', [1, 2].map((id) => JSON.stringify({ id, messages: [{ role: 'user', content: `Task ${id}` }] })).join('\n'));
  await workspace.run('import', 'rows.jsonl', '--format', 'messages', '--data', 'whole');
  await workspace.run('export', '--out', 'whole.jsonl', '--data', 'whole');
  workspace.file('damaged.jsonl', workspace.lines('whole.jsonl').join('\n').replace('Task 2', 'Task 3'));
  const refused = await workspace.json('import', 'damaged.jsonl', '--format', 'dreamfold', '--data', 'mended');
  expect(refused).toMatchObject({ code: 2, document: { error: { code: 'hash_mismatch' } } });
  expect(refused.document.error.remedy).toContain('--skip-bad');

  const flags = ['import', 'damaged.jsonl', '--format', 'dreamfold', '--skip-bad', '--data', 'mended'];
  const { document } = await workspace.json(...flags);
  expect(document).toMatchObject({ sessions: 2, added: 2, damage: { ended: [], lines: [] } });
  const [missing] = document.damage.missing;
  expect(missing).toMatchObject({ code: 'hash_mismatch' });
  expect((await workspace.run(...flags, '--data', 'other')).stdout).toContain(
    '1 event restored without the payload, which is bad:\n  session/',
  );
  const verified = await workspace.json('verify', '--data', 'mended');
  expect(verified).toMatchObject({ code: 0, document: { ok: true, missing: [{ stream: missing.stream, seq: missing.seq }] } });
  expect((await workspace.run('verify', '--data', 'mended')).stdout).toContain(
    `1 payload missing since an import with --skip-bad, in whose file it was bad:\n  ${missing.stream}#${missing.seq}: it was not what its hash says`,
  );
  expect(await workspace.json('sessions', '--data', 'mended')).toMatchObject({ code: 0, document: { total: 2 } });
});

describe('the recorded airline runs of sierra-research/tau-bench', () => {
  const found = existsSync(airline);
  test.skipIf(found)(
    'needs gpt-4o-airline.json of the public data set sierra-research/tau-bench; DREAMFOLD_DATA names its folder',
    (context) => {
      context.skip(`there is no ${airline}`);
    },
  );

  test.skipIf(!found)('are imported, verified, replayed and exported with identical heads', async () => {
    const data = ['--data', 'airline'];
    const imported = await workspace.json('import', airline, '--format', 'tau-bench', ...data);
    expect(imported).toMatchObject({ code: 0, document: { sessions: 200, added: 200, toolCalls: 1164, passed: 84, failed: 116 } });
    expect(await workspace.json('import', airline, '--format', 'tau-bench', ...data)).toMatchObject({ document: { added: 0, events: 0 } });
    expect(await workspace.json('verify', ...data)).toMatchObject({
      code: 0,
      document: { ok: true, events: imported.document.events + 1 },
    });
    expect(await workspace.json('replay', ...data)).toMatchObject({ code: 0, document: { sessions: 200, differing: [] } });
    expect((await workspace.json('sessions', ...data)).document.sessions).toHaveLength(200);
    expect((await workspace.json('sessions', '--limit', '5', ...data)).document.sessions).toHaveLength(5);

    await workspace.run('export', '--out', 'airline.jsonl', ...data);
    await workspace.run('import', 'airline.jsonl', '--format', 'dreamfold', '--data', 'copy');
    await workspace.run('export', '--out', 'copy.jsonl', '--data', 'copy');
    // The first line names the log, and the last one holds a digest of all lines.
    expect(workspace.lines('copy.jsonl').slice(1, -2)).toEqual(workspace.lines('airline.jsonl').slice(1, -2));
  });
});
