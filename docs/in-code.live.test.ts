// The programs of the pages about code, run as they stand there.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { programOf } from './page-blocks.ts';

const ROOT = dirname(import.meta.dirname);
const made: string[] = [];
afterAll(() => made.forEach((file) => rmSync(file, { force: true })));

/** Runs the block of a page that begins with the name of a file, in a package from which its imports are found. */
function runBlock(
  page: string,
  name: string,
  { inside, args = [] }: { inside: string; args?: string[] },
): { status: number | null; stdout: string } {
  const block = programOf(readFileSync(join(ROOT, page), 'utf8'), name)!;
  const file = join(ROOT, inside, `page-${process.pid}-${name}`);
  made.push(file);
  writeFileSync(file, block);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, file], { cwd: ROOT, encoding: 'utf8' });
  return { status, stdout: stdout + stderr };
}

test('the tour of docs/reference/in-code.md', () => {
  const { status, stdout } = runBlock('docs/reference/in-code.md', 'tour.ts', { inside: '.' });
  expect(stdout).toContain('delta It has shipped.');
  expect(stdout).toContain('delta On Friday.');
  expect(stdout).toMatch(/^\d+ agent\.tool_result$/m);
  expect(stdout).toContain("version 1 [ '/notes/tone.md' ]");
  expect(stdout).toContain("[ '1 applied', '2 rolled_back' ]");
  expect(status).toBe(0);
});

test('the model of docs/how-to/bring-your-own-model.md keeps to the port', () => {
  const { status, stdout } = runBlock('docs/how-to/bring-your-own-model.md', 'own-model.test.ts', {
    inside: 'packages/runtime',
    args: ['--test'],
  });
  expect(stdout).toMatch(/fail 0/);
  expect(stdout).toMatch(/pass [1-9]/);
  expect(status).toBe(0);
});

test('the program of docs/how-to/images-and-documents.md', () => {
  const { status, stdout } = runBlock('docs/how-to/images-and-documents.md', 'look.ts', { inside: '.' });
  expect(stdout).toMatch(/^Invoice R-2041: \{"type":"document",.*"size_bytes":36000/m);
  expect(stdout).not.toContain('One charge.');
  expect(stdout).toContain('It came with 2 blocks.');
  expect(status).toBe(0);
});
