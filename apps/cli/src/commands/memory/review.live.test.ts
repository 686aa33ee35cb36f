import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../main.ts';
import type { DemoReport } from '../../demo/run-demo.ts';
import { Workspace } from '../../testing/dreamfold-process.ts';
import { ioOf, onTerminal } from '../../testing/terminal.ts';

const workspace = new Workspace();
let demo: DemoReport;

beforeAll(async () => {
  demo = (await workspace.json('demo')).document as DemoReport;
  workspace.file('note.md', 'Never promise a refund.\n');
  workspace.file('more.md', 'Never promise anything.\n');
  workspace.file('rules.txt', '# what no memory may say\nqueue = access   # a desk of its own\n');
  workspace.file('no-rules.txt', '# nothing\n');
  workspace.file('large.md', 'x'.repeat(200_000));
});
afterAll(() => workspace.remove());

const waiting = async (): Promise<string[]> =>
  ((await workspace.json('review', 'list')).document.waiting as { id: string }[]).map(({ id }) => id);

describe('review, from a dream to a rollback', () => {
  test('lists what waits, with insight, gates and evidence', async () => {
    const { stdout } = await workspace.run('review');
    expect(stdout).toMatch(/^4 proposals wait:/);
    expect(stdout).toContain('queue = "shipping" when the request says "parcel" (+');
    expect(stdout).toMatch(/ \d+ gates passed \(--gates shows them\)/);
    expect(stdout).not.toMatch(/gate quorum passed/);
    expect((await workspace.run('review', 'list', '--gates')).stdout).toMatch(/gate quorum passed: /);
    expect(stdout).toMatch(/#\d+ triage → route_ticket \{"queue":"\w+"\}\n +#\d+ feedback of desk:/);
    expect(await waiting()).toEqual(demo.waiting.patchIds);
  });

  test('lists what gates stopped, with the reason', async () => {
    const { stdout } = await workspace.run('review', 'list', '--all');
    expect(stdout).toMatch(/gate "evidence": session\/\w+#\d+ is no labelled decision that bears it out/);
    const { document } = await workspace.json('review', 'list', '--all', '--store', 'support');
    expect(document.stopped.map(({ gate }: { gate: string }) => gate)).toEqual(['evidence', 'constitution']);
    expect(document.decided.map(({ status }: { status: string }) => status)).toEqual([
      'applied',
      'rolled_back',
      'rolled_back',
      'rolled_back',
    ]);
  });

  test('approves by the beginning of an id; memory shows it, and its history says who', async () => {
    const [first] = await waiting();
    const { code, stdout } = await workspace.run('review', 'approve', first!.slice(0, 12), '--by', 'ann', '--note', 'Checked.');
    expect(code).toBe(0);
    expect(stdout).toContain(`applied ${first}`);
    expect((await workspace.run('memory', 'show', 'support')).stdout).toMatch(/^- queue = "\w+" when the request says /m);
    const { document } = await workspace.json('memory', 'history', 'support');
    expect(document.history.at(-1)).toMatchObject({ version: 8, patchId: first, change: 'applied', by: 'person:ann' });
    const again = await workspace.json('review', 'approve', first!);
    expect(again.document.error).toMatchObject({ code: 'already_decided' });
  });

  test('decides on nothing when one of several patches is wrong', async () => {
    const before = await waiting();
    const { code, document } = await workspace.json('review', 'approve', before[0]!, 'patch_nope');
    expect([code, document.error.code]).toEqual([2, 'not_found']);
    expect(await waiting()).toEqual(before);
  });

  test('rejects with a reason, and the same is not proposed again', async () => {
    const [patch] = await waiting();
    expect((await workspace.run('review', 'reject', patch!, '--reason', 'Two desks share this word.', '--by', 'ann')).code).toBe(0);
    expect((await workspace.run('review', 'list', '--all')).stdout).toContain('by person:ann: Two desks share this word.');
    const { stdout } = await workspace.run('dream', '--store', 'support');
    expect(stdout).toContain(`${patch} proposed the same and was rejected.`);
  });

  test('rolls back to the same bytes', async () => {
    const { document: history } = await workspace.json('memory', 'history', 'support');
    const { patchId } = history.history.at(-1);
    const { code } = await workspace.run('memory', 'rollback', 'support', patchId, '--reason', 'A test.');
    expect(code).toBe(0);
    const { document } = await workspace.json('memory', 'history', 'support');
    expect(document.history.at(-1).hash).toBe(history.history.at(-2).hash);
    expect((await workspace.run('memory', 'show', 'support', '--at', '8')).stdout).toMatch(/^- queue = "\w+" when the request says /m);
    expect((await workspace.json('memory', 'rollback', 'support', patchId, '--reason', 'x')).document.error.code).toBe('already_decided');
  });
});

describe('memory', () => {
  test('keeps notes, says when nothing changed, and takes them from standard input', async () => {
    expect((await workspace.json('memory', 'create', 'notes')).code).toBe(0);
    expect((await workspace.json('memory', 'write', 'notes', '/tone.md', 'note.md')).document.version).toBe(1);
    expect((await workspace.run('memory', 'write', 'notes', '/tone.md', 'note.md')).stdout).toContain('holds this text already');
    expect((await workspace.json('memory', 'write', 'notes', '/tone.md', 'more.md', '--by', 'ann')).document.version).toBe(2);
    expect((await workspace.json('memory', 'write', 'notes', '/stdin.md', '-')).code).toBe(0);
    expect((await workspace.run('memory', 'show', 'notes')).stdout).toContain('Never promise anything.');
    const { document } = await workspace.json('memory');
    expect(document.stores.map(({ name, version }: { name: string; version: number }) => [name, version])).toContainEqual(['notes', 3]);
  });
});

describe('dream', () => {
  test('keeps to the rules of a file, and to the sessions that are named', async () => {
    await workspace.run('memory', 'create', 'ruled');
    const { stdout } = await workspace.run('dream', '--store', 'ruled', '--rules', 'rules.txt');
    expect(stdout).toMatch(/rejected queue = "access" when the request says "authenticator" .*\n {2}gate "constitution"/);
    // What waits from before, the rules forbid as well.
    await workspace.run('memory', 'create', 'later');
    expect((await workspace.run('dream', '--store', 'later')).stdout).toMatch(/^proposed queue = "access"/m);
    const later = await workspace.run('dream', '--store', 'later', '--rules', 'rules.txt');
    expect(later.stdout).toMatch(/^forbidden queue = "access" .*\n {2}gate "constitution".*\n {2}It waits .*review reject patch_/m);
    expect(later.stdout).not.toMatch(/^proposed queue = "access"/m);
    const [one] = demo.firstDay.tickets;
    await workspace.run('memory', 'create', 'few');
    const few = await workspace.json('dream', 'run', '--store', 'few', '--sessions', one!.sessionId);
    expect(few.document).toMatchObject({ reviewed: { sessions: 1 }, insights: [] });
    const { document } = await workspace.json('dream', 'list');
    expect(document.dreams.at(-1)).toMatchObject({ id: few.document.dreamId, storeName: 'few', status: 'completed', insights: 0 });
    expect((await workspace.run('dream', 'list')).stdout).toMatch(new RegExp(`^${few.document.dreamId} +few +`, 'm'));
    expect((await workspace.run('dream', 'show', demo.dream.id)).stdout).toContain('gate "evidence"');
  });

  test('applies by itself what is proved, where the store says auto', async () => {
    await workspace.run('memory', 'create', 'auto', '--approval', 'auto');
    const { stdout } = await workspace.run('dream', '--store', 'auto');
    expect(stdout).toMatch(/^queue of route_ticket: Proved: \d+ better, \d+ worse than without memory, /m);
    expect(stdout).toMatch(/^applied queue = /m);
    expect((await workspace.run('memory', 'show', 'auto')).stdout).toMatch(/^- queue = "\w+" when the request says /m);
  });
});

/** [what, arguments, error code, pattern of the message or the remedy]; all end with 2. */
const BAD: [what: string, args: string[], code: string, says: RegExp][] = [
  ['an unknown command of review', ['review', 'aprove'], 'invalid_argument', /aprove/],
  ['an unknown command of memory', ['memory', 'remove'], 'invalid_argument', /remove/],
  ['an unknown command of dream', ['dream', 'on'], 'invalid_argument', /on/],
  ['approving nothing', ['review', 'approve'], 'invalid_argument', /patch/],
  ['an unknown patch', ['review', 'show', 'patch_nope'], 'not_found', /patch_nope/],
  ['an id that several begin with', ['review', 'show', 'patch_'], 'invalid_argument', /Give more of the id/],
  ['an empty id', ['review', 'approve', ''], 'not_found', /begins with ""/],
  ['rejecting without a reason', ['review', 'reject', 'patch_x'], 'invalid_argument', /--reason/],
  ['a blank name', ['review', 'approve', 'WAITING', '--by', ' '], 'invalid_argument', /--by/],
  ['a name that would move the cursor', ['review', 'approve', 'WAITING', '--by', '\u001b[2J'], 'invalid_argument', /--by/],
  ['a reason that is empty', ['review', 'reject', 'WAITING', '--reason', ''], 'invalid_argument', /reason/],
  ['a reason that is too long', ['review', 'reject', 'WAITING', '--reason', 'x'.repeat(5000)], 'invalid_argument', /reason/],
  ['proposals of an unknown store', ['review', 'list', '--store', 'nope'], 'not_found', /nope/],
  ['an unknown store', ['memory', 'show', 'nope'], 'not_found', /memory create/],
  ['an unknown store id', ['memory', 'history', 'memstore_nope'], 'not_found', /memstore_nope/],
  ['a version that is not reached', ['memory', 'show', 'support', '--at', '99'], 'invalid_argument', /versions 0 to/],
  ['a version that is no number', ['memory', 'show', 'support', '--at', 'new'], 'invalid_argument', /whole number/],
  ['a store without a name', ['memory', 'create', ''], 'invalid_argument', /name/],
  ['a store named like an id', ['memory', 'create', 'memstore_mine'], 'invalid_argument', /memstore_/],
  ['an approval that is none', ['memory', 'create', 'x', '--approval', 'later'], 'invalid_argument', /manual, auto/],
  [
    'a store that is there otherwise',
    ['memory', 'create', 'support', '--approval', 'auto'],
    'idempotency_conflict',
    /its approval is "manual", not "auto"/,
  ],
  ['a description that is too long', ['memory', 'create', 'x', '--description', 'x'.repeat(2000)], 'invalid_argument', /description/],
  ['a path that climbs', ['memory', 'write', 'support', '/../x', 'FILES/note.md'], 'invalid_path', /memory path/],
  ['a path without a slash', ['memory', 'write', 'support', 'x.md', 'FILES/note.md'], 'invalid_path', /begin with "\/"/],
  ['a path named __proto__', ['memory', 'write', 'support', '__proto__', 'FILES/note.md'], 'forbidden_key', /__proto__/],
  [
    'a path below a note',
    ['memory', 'write', 'support', '/playbooks/choices.md/x', 'FILES/note.md'],
    'path_conflict',
    /can't stand in one store/,
  ],
  ['a note over a playbook', ['memory', 'write', 'support', '/playbooks/choices.md', 'FILES/note.md'], 'path_conflict', /playbook/],
  ['a file that is not there', ['memory', 'write', 'support', '/x.md', 'FILES/nope.md'], 'not_found', /nope\.md/],
  ['a file that is a directory', ['memory', 'write', 'support', '/x.md', 'FILES'], 'invalid_path', /directory/],
  ['a file that is too large', ['memory', 'write', 'support', '/x.md', 'FILES/large.md'], 'payload_too_large', /102400/],
  ['a rollback of what was not applied', ['memory', 'rollback', 'support', 'WAITING', '--reason', 'x'], 'already_decided', /validated/],
  ['a rollback in another store', ['memory', 'rollback', 'notes', 'WAITING', '--reason', 'x'], 'not_found', /patch/],
  ['a dream without a store among several', ['dream'], 'invalid_argument', /--store/],
  ['a dream for an unknown store', ['dream', '--store', 'nope'], 'not_found', /nope/],
  ['a dream of an unknown session', ['dream', '--store', 'support', '--sessions', 'sesn_nope'], 'not_found', /sesn_nope/],
  ['a dream of no session', ['dream', '--store', 'support', '--sessions', ''], 'not_found', /begins with ""/],
  ['rules that are not there', ['dream', '--store', 'support', '--rules', 'FILES/nope.txt'], 'not_found', /nope\.txt/],
  ['rules that say nothing', ['dream', '--store', 'support', '--rules', 'FILES/no-rules.txt'], 'config_invalid', /no rule/],
  ['an unknown dream', ['dream', 'show', 'drm_nope'], 'not_found', /drm_nope/],
];

describe('bad input', () => {
  let patch = '';
  let before: unknown;
  beforeAll(async () => {
    patch = (await waiting())[0]!;
    before = (await workspace.json('verify')).document;
  });

  test.each(BAD)('%s', async (...[, args, code, says]) => {
    const named = args.map((arg) => (arg === 'WAITING' ? patch : arg.replace('FILES', workspace.path)));
    const stdout = new PassThrough();
    const exit = await main([...named, '--json', '--data', join(workspace.path, '.dreamfold')], ioOf({ stdout }));
    const { error } = JSON.parse(String(stdout.read())) as { error: { code: string; message: string; remedy: string } };
    expect({ exit, code: error.code }).toEqual({ exit: 2, code });
    expect(`${error.message} ${error.remedy}`).toMatch(says);
  });

  test('has written nothing', async () => {
    expect((await workspace.json('verify')).document).toEqual(before);
  });

  test.each([
    ['review'],
    ['review', 'approve', 'x'],
    ['memory'],
    ['memory', 'create', ''],
    ['memory', 'write', 'a', '/b', 'note.md'],
    ['dream'],
    ['dream', 'list'],
  ])('makes no data directory: %s %s', async (...args) => {
    expect((await workspace.run(...args, '--data', 'never')).code).toBe(2);
    expect(existsSync(join(workspace.path, 'never'))).toBe(false);
  });
});

describe('review on a terminal', () => {
  test('shows each proposal and asks; Ctrl-C leaves the rest for later', async () => {
    const waits = await waiting();
    const [first, second, ...rest] = waits;
    const count = waits.length;
    const { code, output } = await onTerminal(
      [
        [new RegExp(`1 of ${count}: apply it\\?`), '\r'],
        [new RegExp(`2 of ${count}: apply it\\?`), '\u001b[B'],
        [/● Reject/, '\r'],
        [/Why not\?/, 'Too soon.\r'],
        [new RegExp(`3 of ${count}: apply it\\?`), '\u0003'],
      ],
      ['review', '--by', 'ann', '--data', join(workspace.path, '.dreamfold')],
    );
    expect(output).toMatch(/\d+ gates passed/);
    expect(code).toBe(130);
    expect(await waiting()).toEqual(rest);
    const { document } = await workspace.json('review', 'list', '--all');
    const decided = new Map((document.decided as { id: string }[]).map((patch) => [patch.id, patch]));
    expect(decided.get(first!)).toMatchObject({ status: 'applied', decision: { by: 'person:ann' } });
    expect(decided.get(second!)).toMatchObject({ status: 'rejected', decision: { by: 'person:ann', reason: 'Too soon.' } });
  });
});
