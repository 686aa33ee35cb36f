// What README.md and docs/start.md tell a newcomer to type, typed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programOf, shellLines } from './page-blocks.ts';

const root = dirname(import.meta.dirname);
const data = mkdtempSync(join(tmpdir(), 'dreamfold-start-'));
// Nobody's files are touched: the names in the pages get this in front.
const own = `start-test-${process.pid}`;
const made = ['my-team', 'team.ts', 'desk.ts'].map((name) => join(root, `${own}-${name}`));

const page = (path: string): string => readFileSync(join(root, path), 'utf8');
const block = (path: string, file: string): string => programOf(page(path), file)!;
const lines = (path: string): string[] => shellLines(page(path));

function type(line: string, session = ''): { line: string; status: number | null; stdout: string; stderr: string } {
  const here = line
    .replaceAll(/(?<![\w/])(?:my-team|team\.ts|desk\.ts)/g, (name) => `${own}-${name}`)
    .replace('SESSION', session)
    .replace(/ dreamfold /, ` dreamfold --data ${data}/log `);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', here], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return { line, status, stdout, stderr };
}

beforeAll(() => {
  writeFileSync(made[1]!, block('README.md', 'team.ts'));
  writeFileSync(made[2]!, block('docs/start.md', 'desk.ts'));
});
afterAll(() => {
  for (const path of [...made, data]) rmSync(path, { recursive: true, force: true });
});

describe('in the repository', () => {
  test('every line of docs/start.md works', () => {
    const typed = lines('docs/start.md');
    expect(typed.map((line) => line.split(' ')[4])).toEqual(['init', 'run', 'sessions', 'show', 'replay', 'verify', 'run']);
    const said = new Map<string, string>();
    for (const line of typed) {
      const session = /sesn_\w+/.exec(said.get('run') ?? '')?.[0] ?? '';
      const ended = type(line, session.slice(0, 16));
      expect(ended).toMatchObject({ line, status: 0 });
      said.set(line.split(' ')[4]!, ended.stdout);
    }
    // `init` says what to type next, and so does the README that it wrote.
    const next = `npx -y pnpm@12.21.0 dreamfold run ${own}-my-team/team.ts "Where is order 17?"`;
    expect(said.get('init')).toContain(`\n  ${next}\n`);
    expect(readFileSync(join(made[0]!, 'README.md'), 'utf8')).toContain(`\n${next}\n`);
    expect(said.get('show')).toContain('find_order');
    expect(said.get('run')).toContain('Dear customer, order 17 has shipped.');
  });

  test('the program of README.md runs with the line below it', () => {
    const ended = type(lines('README.md').find((line) => line.includes('exec node'))!);
    expect(ended).toMatchObject({ status: 0 });
    expect(ended.stdout).toContain('Dear customer, order 17 has shipped. satisfied');
  });

  test('the program given to `dreamfold run` is refused before it does anything', () => {
    const ended = type('npx -y pnpm@12.21.0 dreamfold run team.ts "Where is order 17?"');
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain(`\`npx -y pnpm@12.21.0 exec node ${own}-team.ts\``);
  });

  test('the rubric of docs/start.md is one', () => {
    expect(existsSync(join(data, 'log'))).toBe(true);
    const rubric = /^ {2}```ts\n([^]*?)^ {2}```$/m.exec(page('docs/start.md'))![1]!;
    const file = join(data, 'polite.ts');
    writeFileSync(file, rubric);
    const ended = type(`npx -y pnpm@12.21.0 dreamfold run my-team/team.ts "Where is order 17?" --rubric ${file}`);
    expect(ended).toMatchObject({ status: 0 });
    expect(ended.stdout).toContain('Rubric: satisfied');
  });
});
