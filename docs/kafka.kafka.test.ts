// What docs/how-to/kafka.md tells a reader to type in the repository, typed, with a real broker.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { shellLines } from './page-blocks.ts';

const root = dirname(import.meta.dirname);
const data = mkdtempSync(join(tmpdir(), 'dreamfold-kafka-page-'));
const prefix = `page-${process.pid}-${Date.now()}`;
// Nobody's files are touched: the names in the page get this in front.
const own = `kafka-test-${process.pid}`;
const env = { ...process.env, DREAMFOLD_LOG: '', NO_COLOR: '1' };

interface Typed {
  line: string;
  code: number | null;
  stdout: string;
  stderr: string;
}

const page = readFileSync(join(root, 'docs/how-to/kafka.md'), 'utf8');
const lines = shellLines(page);

/** The line without pnpm, which would keep signals to itself, on the broker and in the directory of this test. */
function here(line: string): string {
  return line
    .replace('npx -y pnpm@12.21.0 dreamfold', `exec '${process.execPath}' apps/cli/src/bin.ts --data ${data}/log`)
    .replaceAll(/(?<![\w/])my-team/g, `${own}-my-team`)
    .replaceAll('log.jsonl', join(data, 'log.jsonl'))
    .replace(/kafka:\/\/localhost:9092\/(\w+)/, (_, name: string) => `kafka://${inject('kafkaBrokers')}/${prefix}.${name}`);
}

/** @param until what it says when it has done what it is there for; it is then ended as Ctrl-C does */
async function type(line: string, until: RegExp | null): Promise<Typed> {
  const child = spawn('sh', ['-c', here(line)], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const typed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (typed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    typed.stderr += text;
    // A second one would end it at once.
    if (until?.test(typed.stderr) === true && !child.killed) child.kill('SIGINT');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { line, code, ...typed };
}

beforeAll(() => {
  const [first] = lines;
  expect(first).toMatch(/^export DREAMFOLD_LOG=/);
  env.DREAMFOLD_LOG = here(first!).split('=')[1]!;
});
afterAll(() => {
  for (const path of [join(root, `${own}-my-team`), data]) rmSync(path, { recursive: true, force: true });
});

test('every line of docs/how-to/kafka.md works', async () => {
  const said = new Map<string, Typed>();
  for (const line of lines.slice(1)) {
    const typed = await type(line, line.includes(' worker ') ? /end_turn/ : null);
    expect(typed).toMatchObject({ line, code: 0 });
    said.set(/ dreamfold (?:--log \S+ )?(\w+)/.exec(line)![1]!, typed);
  }
  expect([...said.keys()]).toEqual(['init', 'memory', 'run', 'worker', 'sessions', 'dreamer', 'verify', 'export', 'import']);
  const session = said.get('run')!.stdout.trim();
  expect(said.get('worker')!.stderr).toContain(`${session} end_turn`);
  expect(said.get('sessions')!.stdout).toMatch(new RegExp(`${session}.* satisfied `));
  expect(said.get('dreamer')!.stderr).toContain('1 session');
  expect(said.get('import')!.stdout).toContain('1 session added');
});
