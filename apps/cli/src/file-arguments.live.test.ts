// Every argument and option of the command line that names a file or a directory, against everything that is none, or not the right one:
// each ends soon, with a named error that says what to do. The list comes from the commands themselves: one that is new fails here until it
// has its line.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { open } from 'dreamfold';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMAND_LIST, nameOf as commandName } from './command-list.ts';
import { Io } from './io.ts';
import { program } from './main.ts';
import { Commands } from './testing/commands.ts';
import { DESK, Workspace } from './testing/dreamfold-process.ts';

/** Two seconds at most; the rest is for a machine that has other things to do. */
const LIMIT_MS = 8000;

const workspace = new Workspace();
const commands = new Commands(workspace.path, LIMIT_MS);
let server: Server;
const ids = { session: '', patch: '' };

/** Words of the command line that name no file. */
const NO_FILES = new Set([
  ...['session', 'call', 'criterion', 'score', 'message', 'event', 'task', 'dream', 'patch', 'store', 'name', 'from', 'to', 'path'],
  ...['--model', '--principal', '--title', '--memory', '--caps', '--concurrency', '--limit', '--at', '--by', '--message', '--reason'],
  ...['--thread', '--verdict', '--right-answer', '--format', '--agent', '--store', '--sessions', '--every', '--schedule', '--note'],
  ...['--approval', '--description', '--log', '--class', '--expect', '--input'],
  ...['--after', '--status', '--outcome', '--since', '--until', '--event'],
]);

type Use = 'reads a file' | 'writes a file' | 'reads a directory' | 'makes a directory' | 'reads a replica' | 'data';

interface Reader {
  use: Use;
  /** The command, with the odd file in the place of FILE. */
  args: readonly string[];
  /** Endings that are read in ways of their own. */
  endings: readonly string[];
}

const reads = (endings: readonly string[], ...args: string[]): Reader => ({ use: 'reads a file', args, endings });
const RULES = ['.txt', '.json', '.ts'];
const RUN = ['run', 'desk.ts', 'Hello.', '--quiet'];

/** By command and name of the argument. */
const FILES: Record<string, readonly Reader[]> = {
  ' --data': [{ use: 'data', args: ['verify', '--data', 'FILE'], endings: [''] }],
  // Any directory may hold a replica, so one without is told by its name, too.
  ' --replica': [{ use: 'reads a replica', args: ['verify', '--replica', 'FILE'], endings: [''] }],
  'repair --from-replica': [
    { use: 'reads a replica', args: ['repair', '--from-replica', 'FILE', '--log', 'kafka://127.0.0.1:1/none'], endings: [''] },
  ],
  'run --attach': [reads([''], ...RUN, '--attach', 'FILE')],
  'send --attach': [reads([''], 'send', 'SESSION', 'Hello.', '--attach', 'FILE')],
  'init dir': [{ use: 'makes a directory', args: ['init', 'FILE'], endings: [''] }],
  'run file': [reads(['.ts', '.js'], 'run', 'FILE', 'Hello.')],
  'run --rubric': [reads(['.ts'], ...RUN, '--rubric', 'FILE')],
  'resume file': [reads(['.ts'], 'resume', 'SESSION', 'FILE')],
  'worker files': [reads(['.ts'], 'worker', 'FILE')],
  'import file': ['messages', 'tau-bench', 'dreamfold'].map((format) => reads(['.json'], 'import', 'FILE', '--format', format)),
  'import --tools': [reads(['.json'], 'import', 'rows.jsonl', '--format', 'messages', '--tools', 'FILE')],
  'export --out': [{ use: 'writes a file', args: ['export', '--out', 'FILE', '--force'], endings: [''] }],
  'dream run --rules': [reads(RULES, 'dream', '--store', 'support', '--rules', 'FILE')],
  'dreamer --rules': [reads(RULES, 'dreamer', '--store', 'support', '--once', '--rules', 'FILE')],
  // What it reads is only read on a terminal, by the same function as that of `review edit`.
  'review ask --rules': [],
  'review edit --text': [reads(['.md'], 'review', 'edit', 'PATCH', '--text', 'FILE')],
  'review edit --rules': [reads(RULES, 'review', 'edit', 'PATCH', '--text', 'text.md', '--rules', 'FILE')],
  'memory write file': [reads(['.md'], 'memory', 'write', 'support', '/notes/odd.md', 'FILE')],
  'memory write --rules': [reads(RULES, 'memory', 'write', 'support', '/notes/odd.md', 'text.md', '--rules', 'FILE')],
  'memory export directory': [{ use: 'makes a directory', args: ['memory', 'export', 'support', 'FILE'], endings: [''] }],
  'memory import directory': [{ use: 'reads a directory', args: ['memory', 'import', 'support', 'FILE'], endings: [''] }],
  'memory import --rules': [reads(RULES, 'memory', 'import', 'support', 'notes', '--rules', 'FILE')],
};

const LONG = 'x'.repeat(5000);

/** What stands in the place of a file: its name without an ending, how it is made, and the uses that it is all right for. */
const ODD: Record<string, { make?: (path: string) => unknown; fits?: readonly Use[] }> = {
  missing: { fits: ['writes a file', 'makes a directory'] },
  pipe: { make: (path) => execFileSync('mkfifo', [path]) },
  directory: { make: (path) => mkdirSync(join(path, 'inner'), { recursive: true }), fits: ['reads a directory', 'makes a directory'] },
  loop: { make: (path) => symlinkSync(path, path) },
  'leads-nowhere': { make: (path) => symlinkSync(`${path}.nowhere`, path), fits: ['makes a directory'] },
  zero: { make: (path) => symlinkSync('/dev/zero', path) },
  tty: { make: (path) => symlinkSync('/dev/tty', path) },
  memory: { make: (path) => symlinkSync('/proc/self/mem', path) },
  socket: {},
  huge: {
    make: (path) => {
      writeFileSync(path, '');
      truncateSync(path, 300 * 1024 * 1024);
    },
    fits: ['writes a file'],
  },
  'under-a-file': {},
  [LONG]: {},
};

const ENDINGS = ['', '.ts', '.js', '.json', '.txt', '.md'];
const nameOf = (odd: string, ending: string): string =>
  odd === 'socket' ? 'socket' : odd === 'under-a-file' ? 'desk.ts/x.ts' : odd + ending;

beforeAll(async () => {
  workspace.file('desk.ts', DESK);
  workspace.file('text.md', 'Be kind.');
  workspace.file('rows.jsonl', '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}');
  mkdirSync(join(workspace.path, 'notes'));
  for (const [odd, { make }] of Object.entries(ODD)) for (const ending of ENDINGS) make?.(join(workspace.path, nameOf(odd, ending)));
  server = createServer().listen(join(workspace.path, 'socket'));
  const df = await open({ directory: join(workspace.path, '.dreamfold') });
  const { agent } = await import('dreamfold');
  const session = await df.run(agent({ name: 'desk', system: '' }), 'Hello.');
  await session.done();
  ids.session = session.id;
  await df.memory.create({ name: 'support', description: '', approval: 'manual' }, 'person:ann');
  ids.patch = 'patch_odd';
  const operations = [{ op: 'add', path: '/memories/~1tone', value: { kind: 'note', content: 'Be polite.' } }];
  const patch = { patchId: ids.patch, operations, reason: 'r', author: 'dream:drm_1', evidence: [`session/${session.id}#1`] };
  await df.memory.propose('support', [{ patch, gates: [], supersedes: null }]);
  await df.close();
}, 60_000);

afterAll(() => {
  commands.stop();
  server.close();
  workspace.remove();
});

test('every argument that names a file has its line', async () => {
  const found: string[] = [];
  const walk = (command: Command, path: readonly string[]): void => {
    const named = [...command.registeredArguments.map((argument) => argument.name()), ...command.options.flatMap(optionName)];
    for (const name of named) if (!NO_FILES.has(name)) found.push(`${path.join(' ')} ${name}`);
    for (const below of command.commands) walk(below, [...path, below.name()]);
  };
  const io = new Io();
  const root = await program([], io);
  for (const name of root.options.flatMap(optionName)) if (!NO_FILES.has(name)) found.push(` ${name}`);
  // Each is loaded when it is named.
  for (const listed of COMMAND_LIST) {
    const name = commandName(listed);
    walk(
      (await program([name], io)).commands.find((command) => command.name() === name)!,
      [name],
    );
  }
  expect(found.sort()).toEqual(Object.keys(FILES).sort());
});

/** [] for a flag, which takes no value. */
function optionName({ long, required, optional }: Command['options'][number]): string[] {
  return required || optional ? [long!] : [];
}

describe.each(Object.entries(FILES).flatMap(([name, readers]) => readers.map((reader) => [name, reader] as const)))('%s', (_, reader) => {
  const { use, args, endings } = reader;
  const cases = endings.flatMap((ending) =>
    Object.entries(ODD)
      .filter(([, { fits = [] }]) => !fits.includes(use))
      .map(([odd]) => nameOf(odd, ending)),
  );
  test.each(cases.map((name) => [name.slice(0, 20), name]))(
    '%s',
    async (__, name) => {
      const given = args.map((arg) => arg.replace('FILE', name).replace('SESSION', ids.session).replace('PATCH', ids.patch));
      await expectNamedError([...given, '--json'], name);
    },
    20_000,
  );
});

async function expectNamedError(args: readonly string[], name: string): Promise<void> {
  const ended = await commands.run(args);
  expect(ended, 'it hangs').not.toBeNull();
  const { code, said } = ended!;
  expect(said.length).toBeLessThan(4000);
  expect(said).not.toMatch(/\n\s+at /);
  expect([2, 3]).toContain(code);
  const { error } = JSON.parse(said) as { error: { code: string; message: string; remedy: string; path: string } };
  expect(error.code).not.toBe('internal_error');
  expect(`${error.path} ${error.message}`).toContain(name.slice(0, 40));
  expect(error.remedy).toMatch(/\w{3}/);
}

test.skipIf(process.getuid?.() === 0).each(['run', 'worker'])(
  '%s of a file that may not be read (skipped for root, who may)',
  async (command) => {
    workspace.file('closed.ts', DESK);
    chmodSync(join(workspace.path, 'closed.ts'), 0o000);
    await expectNamedError([command, 'closed.ts', ...(command === 'run' ? ['Hello.'] : []), '--json'], 'closed.ts');
  },
);

test.each([
  ['show', ['show', LONG + LONG]],
  ['a command', [LONG]],
  ['an option', ['run', 'desk.ts', 'x', `--${LONG}`]],
  ['a cap', ['run', 'desk.ts', 'x', '--caps', LONG]],
  ['a message of JSON', ['feedback', 'SESSION', '1', '--by', 'x', '--verdict', 'wrong', '--right-answer', LONG]],
  ['a model', ['run', 'desk.ts', 'x', '--model', LONG]],
])('what is very long is not printed back whole: %s', async (_, args) => {
  const ended = await commands.run([...args.map((arg) => arg.replace('SESSION', ids.session)), '--json']);
  expect(ended).toMatchObject({ code: 2 });
  expect(ended!.said.length).toBeLessThan(4000);
});
