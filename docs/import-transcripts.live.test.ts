// Every file and every command of docs/how-to/import-transcripts.md, as they stand there.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shellLines } from './page-blocks.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/how-to/import-transcripts.md'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'dreamfold-transcripts-'));

const files = [...page.matchAll(/^```jsonl? (\S+)\n([^]*?)^```$/gm)].map(([, name, text]) => ({ name: name!, text: text! }));
const typed = shellLines(page);

function dreamfold(line: string): { status: number | null; stdout: string; stderr: string } {
  const command = line.replace(/^dreamfold /, `${process.execPath} ${join(root, 'apps/cli/src/bin.ts')} `);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: directory, encoding: 'utf8' });
  return { status, stdout, stderr };
}

beforeAll(() => {
  for (const { name, text } of files) writeFileSync(join(directory, name), text);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the page on importing transcripts', () => {
  test('names every file that it imports', () => {
    const named = typed.flatMap((line) => line.match(/\S+\.jsonl?\b/g) ?? []);
    expect(files.map(({ name }) => name).sort()).toEqual([...new Set(named)].sort());
  });

  test('has commands that end as it says', () => {
    const said: Record<string, string> = {};
    for (const line of typed) {
      const wanted = Number(/# ends with (\d)/.exec(line)?.[1] ?? 0);
      const { status, stdout, stderr } = dreamfold(line);
      expect({ line, status, stderr: wanted === 0 ? stderr : '' }).toEqual({ line, status: wanted, stderr: '' });
      said[line.replace(/ *#.*/, '')] = `${stdout}${stderr}`;
    }
    expect(said['dreamfold sessions']).toContain('2026-03-02 09:15:00');
    expect(said['dreamfold import judged.jsonl --format messages --data without']).toContain('1 judged call of route can teach nothing');
    expect(said['dreamfold import judged.jsonl --format messages --tools tools.json --data with']).not.toContain('Hint');
    expect(said['dreamfold import bad.jsonl --format messages']).toContain('bad.jsonl:2/messages/0/role');
    expect(said['dreamfold import bad.jsonl --format messages --skip-bad']).toMatch(
      /1 session added .*\n1 bad row left out:\n {2}bad\.jsonl:2/,
    );
  });

  test('has a program that gives what it names', () => {
    const program = join(root, `transcripts-test-${process.pid}.ts`);
    const [, code] = /^```ts\n([^]*?)^```$/m.exec(page)!;
    writeFileSync(program, `import { open } from 'dreamfold';\nconst dreamfold = await open();\n${code}await dreamfold.close();\n`);
    try {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program], { cwd: directory, encoding: 'utf8' });
      expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: '2 [] []\n' });
    } finally {
      rmSync(program);
    }
  });

  test('tells of the input that nobody could read what the log holds', () => {
    const { sessions } = JSON.parse(dreamfold('dreamfold sessions --json').stdout) as { sessions: { id: string }[] };
    const shown = sessions.map(({ id }) => dreamfold(`dreamfold show ${id}`).stdout);
    const told = /input is `(\{"df_malformed".*?\})`/.exec(page)![1]!;
    expect(shown.filter((text) => text.includes(`route ${told}`))).toHaveLength(1);
    expect(shown.filter((text) => text.includes('  billing: Paid back.'))).toHaveLength(1);
    expect(shown.filter((text) => text.includes('0.50 (qa): Right, but slow.'))).toHaveLength(1);
  });
});
