// Types what the README of each example tells its reader to type, on a data directory of its own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellLines } from '../docs/page-blocks.ts';

const ROOT = dirname(import.meta.dirname);
const PNPM = /^npx -y pnpm@\S+ /;

let data = '';
beforeEach(() => (data = mkdtempSync(join(tmpdir(), 'dreamfold-example-'))));
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** The lines of a README, as this Node runs them: a fresh pnpm for each line would take most of the time. */
function linesOf(example: string): string[] {
  const readme = readFileSync(join(import.meta.dirname, example, 'README.md'), 'utf8');
  return shellLines(readme).map((line) => {
    expect(line).toMatch(PNPM);
    const typed = line.replace(PNPM, '');
    return typed.startsWith('exec node')
      ? `${process.execPath} ${typed.slice('exec node '.length)} ${data}`
      : `${process.execPath} apps/cli/src/bin.ts --data ${data} ${typed.slice('dreamfold '.length)}`;
  });
}

interface Typed {
  code: number | null;
  output: string;
}

/** Types every line; SESSION and PATCH are what was printed before. */
function typeReadme(example: string, change: (line: string) => string = (line) => line): Typed[] {
  const typed: Typed[] = [];
  let session = '';
  let patches: string[] = [];
  for (const line of linesOf(example)) {
    const shell = change(line).replace('SESSION', session).replace('PATCH', patches.join(' '));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', shell], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const output = stdout + stderr;
    session = /sesn_\w+/.exec(output)?.[0] ?? session;
    const named = [...new Set(output.match(/patch_\w+/g) ?? [])];
    if (named.length > 0) patches = named;
    typed.push({ code: status, output });
  }
  return typed;
}

test('the approval desk pays when a person has said so, and what she has changed it to', () => {
  const [run, approve, resume] = typeReadme('approval-desk');
  expect(run).toMatchObject({ code: 5, output: expect.stringContaining('desk → refund {"order":"17","cents":1999} waits for approval') });
  expect(approve).toMatchObject({ code: 0 });
  expect(resume).toMatchObject({ code: 0, output: expect.stringContaining('Dear customer. Paid 9.99 EUR for order 17') });
});

test('the approval desk pays nothing that a person has denied', () => {
  const typed = typeReadme('approval-desk', (line) => line.replace(/ approve .*/, ' deny SESSION'));
  expect(typed.at(-1)).toMatchObject({ code: 0, output: expect.stringContaining('we cannot pay this back') });
  expect(typed.map(({ output }) => output).join('')).not.toContain('Paid');
});

test('the reviewers read a real file, and name the places of what they find', () => {
  const [review] = typeReadme('code-review');
  expect(review).toMatchObject({ code: 0, output: expect.stringContaining('Rubric: satisfied') });
  const source = readFileSync(join(ROOT, 'packages/events/src/errors.ts'), 'utf8').split('\n');
  const long = source.flatMap((line, i) =>
    line.length > 120 ? [`packages/events/src/errors.ts:${i + 1} is ${line.length} characters long`] : [],
  );
  for (const finding of long) expect(review!.output).toContain(finding);
  const outside = typeReadme('code-review', (line) => line.replace('packages/events/src/errors.ts', '../../../etc/passwd'));
  expect(outside[0]!.output).toContain('is outside the repository');
});

test('what transcripts teach makes the second run better', () => {
  const typed = typeReadme('import-then-dream');
  expect(typed.map(({ code }) => code)).toEqual(typed.map(() => 0));
  expect(typed[1]!.output).toContain('It is in the queue billing.');
  expect(typed[4]!.output).toContain('queue = "shipping" when the request says "parcel"');
  expect(typed.at(-1)!.output).toContain('It is in the queue shipping.');
});

test('three researchers work at the same time', () => {
  const [run, show] = typeReadme('parallel-research');
  expect(run).toMatchObject({ code: 0, output: expect.stringContaining('Rubric: satisfied') });
  const lines = show!.output.split('\n');
  const calls = lines.flatMap((line, i) => (/→ search/.test(line) ? [i] : []));
  const firstResult = lines.findIndex((line) => /search ←/.test(line));
  expect(calls).toHaveLength(3);
  expect(Math.max(...calls)).toBeLessThan(firstResult);
});

test('invoices that a killed process has begun are finished by the next one, and none goes out twice', async () => {
  const [line] = linesOf('long-running');
  const outbox = join(data, 'outbox.txt');
  const sent = (): string[] => (existsSync(outbox) ? readFileSync(outbox, 'utf8').trim().split('\n') : []);
  for (const enough of [1, 4]) {
    const [node, ...args] = line!.split(' ');
    const child = spawn(node!, args, { cwd: ROOT, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
    while (sent().length < enough) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
  }
  expect(sent().length).toBeLessThan(8);
  for (const again of [typeReadme('long-running'), typeReadme('long-running')]) {
    expect(again[0]).toMatchObject({ code: 0, output: expect.stringContaining('All invoices are sent.') });
  }
  expect(sent().map((one) => one.split(' ')[1])).toEqual(['Ana', 'Ben', 'Chiara', 'Dmitri', 'Emi', 'Farid', 'Greta', 'Hugo']);
});
