import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDreamfoldError } from '@dreamfold/events';
import type { MemoryChange } from '@dreamfold/dreaming';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConstitution } from './constitution-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'constitution-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function file(extension: string, content: string): string {
  files += 1;
  const path = join(directory, `rules-${files}${extension}`);
  writeFileSync(path, content);
  return path;
}

const change = (text: string): MemoryChange => ({ kind: 'note', text, insight: null, note: { path: '/a.md', content: text }, reason: 'r' });

async function broken(path: string, text: string): Promise<boolean[]> {
  const rules = await loadConstitution(path);
  return rules.map((rule) => rule.check(change(text)) !== null);
}

describe('a constitution', () => {
  it('of phrases and JSON schemas is read from JSON', async () => {
    const path = file(
      '.json',
      JSON.stringify({
        phrases: ['never refund'],
        schemas: [{ name: 'short', schema: { type: 'object', properties: { text: { type: 'string', maxLength: 20 } } } }],
      }),
    );
    expect(await broken(path, 'Never, refund!')).toEqual([true, false]);
    expect(await broken(path, 'Be kind to whoever writes')).toEqual([false, true]);
    expect(await broken(path, 'Be kind')).toEqual([false, false]);
  });

  it('of code is read from JavaScript and TypeScript; what it does not allow outright is stopped', async () => {
    const code = `export default [
      'never refund',
      function polite(change) { return change.text.includes('!') ? 'It shouts.' : null; },
      (change) => { change.text = ''; return null; },
      async () => null,
    ];`;
    for (const extension of ['.js', '.ts', '.mjs']) {
      expect(await broken(file(extension, code), 'Hurry!')).toEqual([false, true, false, true]);
      expect(await broken(file(extension, code), 'never refund')).toEqual([true, false, false, true]);
    }
  });

  it('of phrases is a file of lines; the case of the ending does not matter', async () => {
    for (const extension of ['.txt', '.TXT'])
      expect(await broken(file(extension, '# our rules\r\nnever refund # ever\n\n'), 'Never, refund!')).toEqual([true]);
    expect(await broken(file('.JSON', '{"phrases": ["never refund"]}'), 'Never, refund!')).toEqual([true]);
  });

  it('is no folder, no pipe and no file of other bytes', async () => {
    const odd = file('.txt', '');
    writeFileSync(odd, Buffer.from([0xff, 0xfe, 0x41]));
    await expect(loadConstitution(odd)).rejects.toMatchObject({ code: 'invalid_text' });
    const folder = join(directory, 'folder.json');
    mkdirSync(folder);
    await expect(loadConstitution(folder)).rejects.toMatchObject({ code: 'invalid_path' });
    await expect(loadConstitution('/dev/null')).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('of the how-to is one', async () => {
    const page = readFileSync(new URL('../../../../docs/how-to/write-a-constitution.md', import.meta.url), 'utf8');
    const [, code] = /^```ts\n([^]*?)^```$/m.exec(page)!;
    const path = file('.ts', code!);
    expect(await broken(path, 'Queue: ACCESS')).toEqual([true, false, false, false]);
    expect(await broken(path, 'x'.repeat(161))).toEqual([false, false, true, false]);
    const support = { sessions: 4, principals: 4 };
    const insight = { kind: 'recovery', id: 'i', tool: 't', signature: 's', next: 'n', support } as const;
    const seldom = { ...change('after the error'), kind: 'recovery', insight, note: null } as const;
    expect((await loadConstitution(path)).map((rule) => rule.check(seldom))).toEqual([
      null,
      null,
      null,
      'Only 4 principals bear it out; we ask for 5.',
    ]);
  });

  it.each([
    ['.json', '{}', 'config_invalid'],
    ['.json', '[]', 'config_invalid'],
    ['.json', '{"phrases": [""]}', 'config_invalid'],
    ['.json', '{"phrases": [7]}', 'config_invalid'],
    ['.json', '{"rule": []}', 'config_invalid'],
    ['.json', '{"schemas": [{"name": "x", "schema": {"type": "nothing"}}]}', 'config_invalid'],
    ['.json', '{', 'invalid_json'],
    ['.txt', '# nothing', 'config_invalid'],
    ['.txt', '***', 'config_invalid'],
    ['.txt', '\u0000\u0001', 'config_invalid'],
    ['', 'never refund', 'config_invalid'],
    ['.rules', 'never refund', 'config_invalid'],
    ['.json.bak', '{"phrases": ["never refund"]}', 'config_invalid'],
    ['.js', 'export default 7', 'config_invalid'],
    ['.js', 'export const rules = []', 'config_invalid'],
    ['.js', 'export default [', 'config_invalid'],
    ['.js', "throw new Error('no')", 'config_invalid'],
  ])('in a file %s that holds %s is %s', async (extension, content, code) => {
    await expect(loadConstitution(file(extension, content))).rejects.toSatisfy((error) => isDreamfoldError(error) && error.code === code);
  });

  it('that is not there is not found', async () => {
    for (const name of ['nope.json', 'nope.js', 'nope.txt']) {
      await expect(loadConstitution(join(directory, name))).rejects.toSatisfy((error) => isDreamfoldError(error, 'not_found'));
    }
  });
});
