import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workspace } from '../../testing/dreamfold-process.ts';

const workspace = new Workspace();
const memory = (...args: string[]): ReturnType<Workspace['run']> => workspace.run('memory', ...args);
const failure = async (...args: string[]): Promise<string> => (await workspace.json('memory', ...args)).document.error.code;

beforeAll(async () => {
  await memory('create', 'desk', '--by', 'ann');
  for (const [text, by] of [
    ['Be brief.\nBe kind.\n', 'ann'],
    ['Be brief.\nBe exact.\n', 'bob'],
  ]) {
    await memory('write', 'desk', '/notes/tone.md', workspace.file('tone.md', text!), '--by', by!, '--reason', `said ${by}`);
  }
});
afterAll(() => workspace.remove());

describe('memory', () => {
  test('create says whether it made the store or found it', async () => {
    expect((await memory('create', 'shop')).stdout).toMatch(/^Made the store shop \(memstore_\S+\); approval is manual\.\n$/);
    expect((await memory('create', 'shop', '--by', 'bob')).stdout).toMatch(
      /^The store shop \(memstore_\S+\) was there already, with approval manual: person:\S+ made it on \d{4}-\S+Z\.\nWhoever uses this log shares it\./,
    );
    const { code, document } = await workspace.json('memory', 'create', 'shop', '--by', 'bob');
    expect([code, document]).toMatchObject([0, { name: 'shop', created: false, made_at: expect.stringMatching(/Z$/) }]);
    expect(document.made_by).not.toContain('bob');
  });

  test('history tells every version, who and why', async () => {
    const { stdout } = await memory('history', 'desk');
    expect(stdout).toMatch(/^version 1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}applied by person:ann {2}patch_\S+\n/);
    expect(stdout).toContain('said bob');
    const { document } = await workspace.json('memory', 'history', 'desk');
    expect(document.history[1]).toMatchObject({ version: 2, author: 'person:bob', by: 'person:bob', change: 'applied', status: 'applied' });
  });

  test('diff is a unified diff, and operations with --json', async () => {
    expect((await memory('diff', 'desk', '1')).stdout).toContain('\n Be brief.\n-Be kind.\n+Be exact.\n');
    expect((await memory('diff', 'desk', '2', '1')).stdout).toContain('\n-Be exact.\n+Be kind.\n');
    expect((await memory('diff', 'desk', '2')).stdout).toBe('Versions 2 and 2 are the same.\n');
    const { document } = await workspace.json('memory', 'diff', 'desk', '1', '2');
    expect(document.operations).toEqual([{ op: 'replace', path: '/memories/~1notes~1tone.md/content', value: 'Be brief.\nBe exact.\n' }]);
  });

  test('blame names the version and author of each line', async () => {
    const { stdout } = await memory('blame', 'desk', '/notes/tone.md');
    expect(stdout).toMatch(/^1 \S+ patch_\S+ person:ann +## \/notes\/tone\.md\n1 .* person:ann +Be brief\.\n2 .* person:bob +Be exact\.\n/);
  });

  test('shows a version, or a time', async () => {
    expect((await memory('show', 'desk', '--at', '1')).stdout).toContain('Be kind.');
    expect((await memory('show', 'desk', '--at', '2001-01-01 10:30')).stdout).toContain('version 0 of 2');
    expect((await memory('show', 'desk', '--at', '2999-01-01T10:30Z')).stdout).toContain('Be exact.');
  });

  test('goes to files and back: unchanged, nothing; edited, one version', async () => {
    await memory('export', 'desk', 'files');
    const file = join(workspace.path, 'files', 'notes', 'tone.md');
    expect(readFileSync(file, 'utf8')).toBe('Be brief.\nBe exact.\n');
    expect((await memory('import', 'desk', 'files')).stdout).toBe('The store holds all of this already.\n');
    writeFileSync(file, 'Be brief.\nBe exact.\nBe kind.\n');
    const { document } = await workspace.json('memory', 'import', 'desk', 'files', '--by', 'eve', '--reason', 'kinder');
    expect(document).toMatchObject({ version: 3, patchIds: [expect.stringMatching(/^patch_/)], stale: [] });
    expect((await memory('blame', 'desk')).stdout).toMatch(/\n3 .* person:eve +Be kind\.\n/);
    await memory('rollback', 'desk', document.patchIds[0], '--reason', 'back', '--by', 'eve');
    await memory('export', 'desk', 'again');
    expect(readFileSync(join(workspace.path, 'again', 'notes', 'tone.md'), 'utf8')).toBe('Be brief.\nBe exact.\n');
    expect((await memory('history', 'desk')).stdout).toContain('(rolled back since)');
  });

  test.each([
    [['diff', 'desk', '9'], 'invalid_argument'],
    [['diff', 'desk', '1', '9'], 'invalid_argument'],
    [['diff', 'desk', 'new'], 'invalid_argument'],
    [['diff', 'desk'], 'invalid_argument'],
    [['diff', 'nope', '1'], 'not_found'],
    [['blame', 'desk', '/nope'], 'not_found'],
    [['show', 'desk', '--at', '2026-13-01'], 'invalid_argument'],
    [['show', 'desk', '--at', '-1'], 'invalid_argument'],
    [['export', 'desk', '.'], 'path_conflict'],
    [['export', 'desk', 'other', '--at', '9'], 'not_found'],
    [['import', 'desk', 'nowhere'], 'not_found'],
    [['import', 'desk', 'tone.md'], 'invalid_path'],
    [['import', 'desk', 'files', '--reason', ''], 'invalid_argument'],
  ])('%j is refused', async (args, code) => {
    expect(await failure(...args)).toBe(code);
  });
});
