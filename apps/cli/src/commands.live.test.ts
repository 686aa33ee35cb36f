import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'dreamfold';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workspace } from './testing/dreamfold-process.ts';

const TASK = 'Where is order 17?';
const workspace = new Workspace();
const team = 'my-team/team.ts';
let id = '';

afterAll(() => workspace.remove());

beforeAll(async () => {
  const init = await workspace.run('init', 'my-team');
  expect(init).toMatchObject({ code: 0, stderr: '' });
  const { code, document } = await workspace.json('run', team, TASK, '--principal', 'customer-4');
  expect(code).toBe(0);
  id = document.sessionId;
});

describe('init and run', () => {
  test('the team runs at once, where nothing is installed, and tells what it does', async () => {
    const { code, stdout, stderr } = await workspace.run('run', team, TASK, '--data', 'other');
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain('orders → find_order {"order":"17"}');
    expect(stdout).toContain('\nDear customer,\nOrder 17 has shipped');
    expect(stdout).toMatch(/Tokens: \d+ in, \d+ out; 5 model calls, 3 tool calls; cost \$0\.0000/);
    expect(stdout).not.toContain('\u001b[');
  });

  test('init writes over nothing', async () => {
    const before = readFileSync(join(workspace.path, team), 'utf8');
    const { code, document } = await workspace.json('init', 'my-team');
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: 'path_conflict', path: 'my-team' });
    expect(readFileSync(join(workspace.path, team), 'utf8')).toBe(before);
  });

  test('--quiet says only the result', async () => {
    const { stdout } = await workspace.run('run', team, TASK, '--quiet', '--data', 'other');
    expect(stdout).not.toContain('→');
    expect(stdout).toContain('Order 17 has shipped');
  });

  test('a rubric that is not met ends with 1', async () => {
    workspace.file(
      'strict.ts',
      `import { rubric } from 'dreamfold'; export default rubric({ maxIterations: 1, criteria: [{ id: 'short', ask: 'Short.', check: () => false }] });`,
    );
    const { code, document } = await workspace.json('run', team, TASK, '--rubric', 'strict.ts', '--data', 'other');
    expect(code).toBe(1);
    expect(document).toMatchObject({ status: 'failed', outcome: { result: 'max_iterations_reached', score: 0 } });
  });

  test('a cap that is reached ends with 1 and says which', async () => {
    const { code, document } = await workspace.json('run', team, TASK, '--caps', 'turns=1', '--data', 'other');
    expect(code).toBe(1);
    expect(document.stopReason).toEqual({ type: 'budget_reached' });
  });

  test('--model takes the place of every agent’s model', async () => {
    const { code, document } = await workspace.json(
      'run',
      team,
      '@script [{"say":"From the script."}]',
      '--model',
      'scripted',
      '--data',
      'other',
      '--rubric',
      workspace.file(
        'any.ts',
        `import { rubric } from 'dreamfold'; export default rubric({ criteria: [{ id: 'any', ask: 'Anything.', check: () => true }] });`,
      ),
    );
    expect(code).toBe(0);
    expect(document.text).toBe('From the script.');
  });
});

describe('looking', () => {
  test('sessions lists all, or the newest', async () => {
    const { document } = await workspace.json('sessions');
    expect(document).toEqual({
      sessions: [expect.objectContaining({ id, title: TASK, principal: 'customer-4', status: 'end_turn', outcome: 'satisfied', score: 1 })],
      total: 1,
    });
    const { stdout } = await workspace.run('sessions', '--limit', '1');
    expect(stdout.split('\n')[0]).toMatch(/^SESSION +TASK +PRINCIPAL +STATUS +SCORE +EVENTS +TIME$/);
    expect(stdout).toContain(id);
  });

  test('sessions lists what every filter lets through, counts it, and goes on after a page', async () => {
    const listed = async (...flags: string[]) => (await workspace.json('sessions', ...flags)).document;
    const good = ['--status', 'end_turn', '--agent', 'lead', '--principal', 'customer-4', '--outcome', 'satisfied', '--since', '1d'];
    expect(await listed(...good, '--title', TASK.slice(3, 12).toUpperCase(), '--limit', '1')).toMatchObject({
      sessions: [{ id }],
      next: null,
    });
    expect(await listed('--until', '2020-01-01')).toEqual({ sessions: [], total: 0 });
    expect(await listed('--count', '--agent', 'lead')).toEqual({ total: 1 });
    expect((await workspace.run('sessions', '--count')).stdout).toBe('1\n');
    expect((await workspace.run('sessions', '--principal', 'nobody')).stdout).toBe('No such session.\n');
    expect(await listed('--after', id)).toEqual({ sessions: [], total: 1, next: null });
    expect(await listed('--after', 'sesn_none')).toMatchObject({ error: { code: 'not_found', path: 'after' } });
    expect(await listed('--status', 'asleep')).toMatchObject({ error: { code: 'invalid_argument' } });
    expect(await listed('--since', 'yesterday')).toMatchObject({ error: { code: 'invalid_argument' } });
  });

  test('show tells the story, by the beginning of an id, with and without its prefix', async () => {
    const { stdout } = await workspace.run('show', id.slice(0, 12));
    expect(stdout).toContain('outcome   satisfied, score 1.00');
    expect(stdout).toContain('threads   lead, > orders, > writer');
    // Nobody knows where a session ran that was not imported.
    expect(stdout).not.toMatch(/^from /m);
    expect(stdout).toMatch(/sure 0\.90/);
    expect(stdout).toMatch(/answers 1\.00 by code/);
    const { document } = await workspace.json('show', id.slice('sesn_'.length));
    expect(document.events).toHaveLength(document.session.events);
    expect(document.events.map((event: { seq: number }) => event.seq)).toEqual(document.events.map((_: unknown, i: number) => i + 1));
    const limited = await workspace.json('show', id, '--limit', '2');
    expect(limited.document.events).toEqual(document.events.slice(-2));
  });

  test('replay shows any moment, and renders every request again', async () => {
    const { document: end } = await workspace.json('replay', id, '--verify');
    expect(end).toMatchObject({ session: { status: 'end_turn' }, requests: { requests: 5, differing: [] }, usage: { modelCalls: 5 } });
    const { document: early } = await workspace.json('replay', id, '--at', '12');
    expect(early).toMatchObject({ at: 12, session: { status: 'running' } });
    expect(early.threads[0].openCalls).toHaveLength(2);
    const all = await workspace.json('replay');
    expect(all).toMatchObject({ code: 0, document: { sessions: 1, requests: 5, differing: [] } });
  });

  test('replay notices a request that the log no longer gives', async () => {
    const dreamfold = await open({ directory: join(workspace.path, 'tampered') });
    const append = (seq: number, type: string, data: unknown) =>
      dreamfold.log.append({
        stream: `session/${id}`,
        id: `sevt_${seq}`,
        expected: seq - 1,
        epoch: 1,
        events: [
          {
            type,
            data,
            actor: `sthr_${id.slice(5)}`,
            class: type === 'session.claimed' ? 'claim' : type.startsWith('span') ? 'owner' : 'open',
          },
        ],
      });
    const { document } = await workspace.json('show', id);
    await append(1, 'session.created', document.events[0].data);
    await append(2, 'session.claimed', { nonce: 'n' });
    await append(3, 'span.model_request_start', { df_request_sha256: 'not what would be sent' });
    await dreamfold.close();
    const replay = await workspace.json('replay', id, '--verify', '--data', 'tampered');
    expect(replay).toMatchObject({
      code: 3,
      document: { requests: { requests: 1, differing: [{ seq: 3, recorded: 'not what would be sent' }] } },
    });
    expect(await workspace.json('replay', '--data', 'tampered')).toMatchObject({
      code: 3,
      document: { differing: [{ session: id, seq: 3 }] },
    });
  });

  test('tail of a session that rests gives all its events and ends', async () => {
    const { code, document } = await workspace.json('tail', id);
    const { document: shown } = await workspace.json('show', id);
    expect(code).toBe(0);
    expect(document.events).toEqual(shown.events);
  });

  test('verify counts, and finds a changed byte', async () => {
    expect(await workspace.json('verify')).toMatchObject({ code: 0, document: { ok: true, problems: [], streams: 2 } });
    await workspace.run('export', '--out', 'whole.jsonl');
    await workspace.run('import', 'whole.jsonl', '--format', 'dreamfold', '--data', 'flipped');
    const file = join(workspace.path, 'flipped', 'log.db');
    const bytes = readFileSync(file);
    const at = bytes.indexOf('Where is order 17?');
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(file, bytes);
    const { code, document } = await workspace.json('verify', '--data', 'flipped');
    expect(code).toBe(3);
    expect(document).toMatchObject({ ok: false });
    const [cause, ...rest] = document.problems;
    expect(cause).toMatchObject({ stream: `session/${id}`, seq: 3, problem: 'envelope, payload and hash do not agree' });
    expect(new Set(rest.map(({ problem }: { problem: string }) => problem))).toEqual(new Set(['its append is not complete']));
  });

  test('a lost head is refused, and --accept-head goes on from what is there', async () => {
    await workspace.run('run', team, TASK, '--data', 'headless');
    writeFileSync(join(workspace.path, 'headless', 'head'), 'gone');
    expect(await workspace.json('sessions', '--data', 'headless')).toMatchObject({
      code: 3,
      document: { error: { code: 'store_corrupt' } },
    });
    expect(await workspace.json('verify', '--accept-head', '--data', 'headless')).toMatchObject({ code: 0, document: { ok: true } });
    expect(await workspace.json('sessions', '--data', 'headless')).toMatchObject({ code: 0, document: { total: 1 } });
  });
});

describe('export and import', () => {
  const heads = async (directory: string): Promise<unknown[]> => {
    const dreamfold = await open({ directory: join(workspace.path, directory), readOnly: true });
    const streams = [];
    for await (const batch of dreamfold.log.streams()) streams.push(...batch);
    await dreamfold.close();
    return streams.filter(({ stream }) => !stream.startsWith('log/'));
  };

  test('an export imported into an empty log has the same heads, and imported again adds nothing', async () => {
    const written = await workspace.json('export', '--out', 'all.jsonl');
    expect(written).toMatchObject({ code: 0, document: { file: 'all.jsonl' } });
    const first = await workspace.json('import', 'all.jsonl', '--format', 'dreamfold', '--data', 'copy');
    expect(first).toMatchObject({ code: 0, document: { sessions: 1, added: 1, events: written.document.events, passed: 1, failed: 0 } });
    expect(await heads('copy')).toEqual(await heads('.dreamfold'));
    const again = await workspace.json('import', 'all.jsonl', '--format', 'dreamfold', '--data', 'copy');
    expect(again).toMatchObject({ code: 0, document: { sessions: 1, added: 0, events: 0 } });
    expect(await workspace.json('replay', id, '--verify', '--data', 'copy')).toMatchObject({
      document: { requests: { requests: 5, differing: [] } },
    });
  });

  test('stdout and --out give the same bytes, of one session or of all', async () => {
    const { stdout } = await workspace.run('export', id);
    await workspace.run('export', '--out', 'again.jsonl');
    expect(stdout).toBe(readFileSync(join(workspace.path, 'again.jsonl'), 'utf8'));
    expect(readdirSync(workspace.path).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('an export with one changed byte is refused, and begins no log', async () => {
    const { stdout } = await workspace.run('export');
    workspace.file('changed.jsonl', stdout.replace('Where is order 17?', 'Where is order 18?'));
    const { code, document } = await workspace.json('import', 'changed.jsonl', '--format', 'dreamfold', '--data', 'never');
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: 'hash_mismatch', path: expect.stringMatching(/^changed\.jsonl:\d+$/) });
    expect(existsSync(join(workspace.path, 'never'))).toBe(false);
  });
});
