// The house rules that no linter knows, as a test over the tracked files. Each message says what to do.
// Lengths of files and functions, cycles and promises are oxlint's (.oxlintrc.json); undeclared imports are pnpm's and tsc's.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { looseEvents, repeatedTypes } from './scripts/declared-types.ts';
import { impureCalls } from './scripts/impure-calls.ts';
import { dependenciesOf, manifestProblems, type Manifest } from './scripts/manifest-problems.ts';

interface Source {
  path: string;
  text: string;
}

interface Rule {
  name: string;
  /** The problems of a repository, each with its remedy. */
  check: (files: readonly Source[]) => string[];
  /** Small violations, a file each or several files together; each must be found. */
  caught: readonly (Source | readonly Source[])[];
  /** What looks like a violation and is none. */
  passes: readonly (Source | readonly Source[])[];
}

/** A room may depend on rooms of a lower number only. */
const LEVEL: Readonly<Record<string, number>> = {
  '@dreamfold/events': 0,
  '@dreamfold/core': 1,
  '@dreamfold/log': 2,
  '@dreamfold/model': 2,
  '@dreamfold/dreaming': 2,
  '@dreamfold/views': 2,
  '@dreamfold/log-kafka': 3,
  '@dreamfold/runtime': 3,
  '@dreamfold/projections': 3,
  dreamfold: 4,
  '@dreamfold/sim': 4,
};
const APP_LEVEL = 5;

/** One technology, one folder. */
const TECHNOLOGY: Readonly<Record<string, readonly string[]>> = {
  'node:sqlite': ['packages/log/src/sqlite/', 'packages/projections/src/sqlite/', 'apps/bench/'],
  '@anthropic-ai/sdk': ['packages/model/src/anthropic/'],
  kafkajs: [
    'scripts/kafka/access-control.ts',
    'packages/log-kafka/src/driver/kafkajs/',
    'packages/log-kafka/src/driver/testing/',
    'packages/log-kafka/src/testing/',
    'apps/bench/',
  ],
  '@platformatic/kafka': ['packages/log-kafka/src/driver/platformatic/', 'apps/bench/', 'scripts/kafka/soak-cluster.ts'],
};
const ADAPTER = /^@dreamfold\/(?:(?:log|projections)\/sqlite|model\/anthropic|log-kafka)/;
const ADAPTER_FOLDER = /^\.{1,2}\/(?:.*\/)?(?:sqlite|anthropic)\//;

/** A folder with more is no room that a reader can hold in the head. */
const MAX_SOURCES = 15;

// Written so that none of them matches this file.
const PROVENANCE = [
  /(?<![\w.])\/work\/\w/,
  /\.\.\/shared(?!\/data)/,
  /\bissues? #?\d/i,
  /\bclaude[ -]code\b/i,
  /\b(?:ai|llm)-(?:generated|written)\b/i,
  /\bco-authored-by\b/i,
];

const isTest = (path: string): boolean => path.endsWith('.test.ts');
const isCode = (path: string): boolean => /\.[cm]?tsx?$/.test(path);
const roomOf = (path: string): string => /^(?:packages|apps)\/[^/]+\//.exec(path)?.[0] ?? '';

function linesOf(file: Source): { line: string; at: string }[] {
  return file.text.split('\n').map((line, index) => ({ line, at: `${file.path}:${index + 1}` }));
}

function importsOf(file: Source): string[] {
  return [...file.text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1]!);
}

function code(files: readonly Source[]): Source[] {
  return files.filter((file) => isCode(file.path));
}

function packages(files: readonly Source[]): { path: string; json: Manifest }[] {
  return files
    .filter((file) => /(?:^|\/)package\.json$/.test(file.path))
    .map((file) => ({ path: file.path, json: JSON.parse(file.text) as Manifest }));
}

function checkRooms(files: readonly Source[]): string[] {
  const used = [
    ...packages(files).flatMap(({ path, json }) => Object.keys(dependenciesOf(json)).map((name) => ({ path, name }))),
    ...code(files).flatMap((file) => importsOf(file).map((name) => ({ path: file.path, name }))),
  ];
  return used.flatMap(({ path, name }) => {
    const room = /^packages\/([^/]+)\//.exec(path)?.[1];
    const own = room === undefined ? APP_LEVEL : (LEVEL[`@dreamfold/${room}`] ?? LEVEL[room]);
    if (own === undefined) return [`${path}: the room ${room} has no level. Add it to LEVEL in tidy.test.ts.`];
    const target = /^@dreamfold\/[^/]+|^dreamfold(?=\/|$)/.exec(name)?.[0];
    if (target === undefined || target === `@dreamfold/${room}` || target === room) return [];
    if (target === '@dreamfold/sim') return [`${path}: nothing imports the simulated world. Move what both need to a lower room.`];
    if ((LEVEL[target] ?? APP_LEVEL) < own) return [];
    return [`${path}: ${name} is not below this room. Move what both need to a lower room, or pass it in from above.`];
  });
}

/** Brokers that tests start, and what users may do there. */
const CLUSTERS: ReadonlySet<string> = new Set(
  ['access-control', 'kafka-broker', 'soak-cluster'].map((file) => `/scripts/kafka/${file}.ts`),
);

function leavesPackage(file: Source, name: string): boolean {
  const room = roomOf(file.path);
  if (room === '' || !name.startsWith('../')) return false;
  const target = new URL(name, `file:///${file.path}`).pathname;
  // Tests of several packages start brokers.
  return !target.startsWith(`/${room}`) && !(isTest(file.path) && CLUSTERS.has(target));
}

function checkImports(files: readonly Source[]): string[] {
  const imports = code(files).flatMap((file) => importsOf(file).map((name) => ({ file, name })));
  return imports.flatMap(({ file, name }) => {
    if (leavesPackage(file, name)) return [`${file.path}: ${name} leaves its package. Import the package by its name.`];
    if (isTest(file.path)) return [];
    const technology = Object.keys(TECHNOLOGY).find((key) => name === key || name.startsWith(`${key}/`));
    const folders = technology === undefined ? [] : TECHNOLOGY[technology]!;
    if (folders.length > 0 && !folders.some((folder) => file.path.startsWith(folder))) {
      return [`${file.path}: ${name} belongs in ${folders.join(' or ')}. Go through the port.`];
    }
    const composes = file.path.startsWith('packages/dreamfold/') || file.path.startsWith('apps/');
    if (composes || !(ADAPTER.test(name) || ADAPTER_FOLDER.test(name))) return [];
    return [`${file.path}: only dreamfold and apps name an adapter such as ${name}. Take the port.`];
  });
}

function checkNames(files: readonly Source[]): string[] {
  const remedy = 'Name the file after its one concept, in kebab-case.';
  return files.flatMap(({ path }) => {
    const problems: string[] = [];
    const name = path.split('/').at(-1)!.split('.')[0]!;
    if (isCode(path) && !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) problems.push(`${path}: ${remedy}`);
    if (isCode(path) && /(?:^|-)(?:utils?|helpers?|common|misc)(?:$|-)|^types$/.test(name))
      problems.push(`${path} says nothing. ${remedy}`);
    if (/\.spec\.|(?:^|\/)(?:tests?|__tests__)\//.test(path)) {
      problems.push(
        `${path}: put tests beside their source, as x.test.ts (pure), x.live.test.ts (disk, processes, sockets) or x.kafka.test.ts.`,
      );
    }
    return problems;
  });
}

function checkFolders(files: readonly Source[]): string[] {
  const sources = code(files).filter(({ path }) => !isTest(path));
  const folders = Map.groupBy(sources, ({ path }) => dirname(path));
  return [...folders]
    .filter(([, within]) => within.length > MAX_SOURCES)
    .map(([folder, { length }]) => `${folder}: ${length} source files. Divide it into rooms of at most ${MAX_SOURCES}, each with one job.`);
}

function checkExports(files: readonly Source[]): string[] {
  const entries = packages(files).flatMap(({ path, json }) =>
    Object.values(json.exports ?? {}).map((entry) => path.replace('package.json', entry.slice('./'.length))),
  );
  return code(files).flatMap((file) => {
    const stars = linesOf(file).filter(({ line }) => /^\s*export (?:type )?\*/.test(line));
    const problems = stars.map(({ at }) => `${at}: list the names instead of export *.`);
    if (roomOf(file.path) !== '' && file.path.endsWith('/index.ts') && !entries.includes(file.path)) {
      problems.push(`${file.path} is an inner barrel. Import from the files themselves, or make it an entry in exports.`);
    }
    return problems;
  });
}

function checkPurity(files: readonly Source[]): string[] {
  const sources = code(files).filter(({ path }) => path.startsWith(`${roomOf(path)}src/`) && !isTest(path));
  return sources.flatMap(({ path, text }) => impureCalls(path, text));
}

function checkManifests(files: readonly Source[]): string[] {
  return packages(files).flatMap(({ path, json }) => manifestProblems(path, json));
}

function checkText(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    const problems = linesOf(file).flatMap(({ line, at }) => {
      const word = PROVENANCE.map((pattern) => pattern.exec(line)).find((match) => match !== null);
      if (word !== undefined) return [`${at}: "${word[0]}" tells how this was made. Say what holds for a reader of the product.`];
      const exception = isCode(file.path) && /(?:oxlint|eslint)-disable|@ts-(?:expect-error|ignore)/.test(line);
      if (exception && !/ -- \S|@ts-expect-error \S/.test(line)) return [`${at}: give the exception's reason after " -- ".`];
      return [];
    });
    if (file.path === 'AGENTS.md' && file.text.trimEnd().split('\n').length > 80) {
      problems.push('AGENTS.md has more than 80 lines. Move what is not a command or a place to docs/.');
    }
    return problems;
  });
}

function folder(path: string, count: number): readonly Source[] {
  return Array.from({ length: count }, (_, i) => source(`${path}/file-${i}.ts`));
}

function source(path: string, text = ''): Source {
  return { path, text };
}

function manifest(room: string, json: object): Source {
  return source(`${room}/package.json`, JSON.stringify({ name: room, ...json }));
}

const RULES: readonly Rule[] = [
  {
    name: 'rooms depend one way: events < core < log, model, dreaming, views < log-kafka, runtime, projections < dreamfold, sim < apps',
    check: checkRooms,
    caught: [
      manifest('packages/core', { dependencies: { '@dreamfold/log': 'workspace:*' } }),
      manifest('packages/dreaming', { devDependencies: { '@dreamfold/model': 'workspace:*' } }),
      manifest('apps/server', { dependencies: { '@dreamfold/cli': 'workspace:*' } }),
      manifest('packages/unheard-of', { dependencies: { zod: 'catalog:' } }),
      source('packages/events/src/a.ts', "import { fold } from '@dreamfold/core';"),
      source('packages/runtime/src/a.ts', "const { open } = await import('dreamfold');"),
      source('apps/cli/src/a.ts', ["import { World } from '@dreamfold", "sim';"].join('/')),
    ],
    passes: [
      manifest('packages/runtime', { dependencies: { '@dreamfold/log': 'workspace:*' } }),
      source('apps/cli/src/a.ts', "import { open } from 'dreamfold';"),
      source('packages/log/src/a.test.ts', "import { logConformance } from '@dreamfold/log/conformance';"),
    ],
  },
  {
    name: 'adapters and technologies stay in their folder',
    check: checkImports,
    caught: [
      source('packages/runtime/src/a.ts', "import { openSqlite } from '@dreamfold/log/sqlite';"),
      source('packages/log/src/index.ts', "export { openSqlite } from './sqlite/index.ts';"),
      source('packages/log/src/memory.ts', "import { DatabaseSync } from 'node:sqlite';"),
      source('packages/dreamfold/src/a.ts', "await import('@anthropic-ai/sdk')"),
      source('packages/log/src/a.test.ts', "import { x } from '../../core/src/index.ts';"),
      source('packages/log-kafka/src/a.ts', "import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';"),
    ],
    passes: [
      source('packages/dreamfold/src/open.ts', "import { openSqlite } from '@dreamfold/log/sqlite';"),
      source('packages/runtime/src/a.test.ts', "import { openSqlite } from '@dreamfold/log/sqlite';"),
      source('packages/log-kafka/src/a.kafka.test.ts', "import { startKafka } from '../../../scripts/kafka/kafka-broker.ts';"),
      source('packages/log/src/sqlite/index.ts', "import { Log } from '../port.ts'; import { DatabaseSync } from 'node:sqlite';"),
    ],
  },
  {
    name: 'file names say the concept',
    check: checkNames,
    caught: [
      source('packages/core/src/utils.ts'),
      source('packages/core/src/json-helpers.ts'),
      source('packages/core/src/types.ts'),
      source('packages/core/src/threadState.ts'),
      source('packages/core/src/thread.spec.ts'),
      source('packages/core/test/thread.test.ts'),
    ],
    passes: [source('packages/core/src/thread.live.test.ts'), source('packages/core/src/event-types.ts'), source('README.md')],
  },
  {
    name: 'a folder has at most 15 source files',
    check: checkFolders,
    caught: [folder('packages/core/src/thread', 16)],
    passes: [[...folder('packages/core/src/thread', 15), source('packages/core/src/thread/file.test.ts')]],
  },
  {
    name: 'exports are lists of names',
    check: checkExports,
    caught: [
      source('packages/core/src/a.ts', "export * from './b.ts';"),
      source('packages/core/src/a.ts', "export type * as b from './b.ts';"),
      source('packages/core/src/views/index.ts', "export { a } from './a.ts';"),
    ],
    passes: [source('packages/core/src/a.ts', "export { b } from './b.ts'; // export * hides what is public")],
  },
  {
    name: 'a type name is declared once in a package',
    check: (files) => repeatedTypes(code(files)),
    caught: [source('packages/core/src/a.ts', 'export interface Verdict {}\ntype Verdict = string;')],
    passes: [
      source('packages/core/src/a.ts', 'interface Verdict {}'),
      source('packages/log/src/a.ts', 'interface Verdict {}'),
      source('packages/core/src/a.test.ts', 'interface Verdict {}'),
    ],
  },
  {
    name: 'events are written with newEvent',
    check: (files) => looseEvents(code(files)),
    caught: [
      source('packages/core/src/a.ts', "return { type: 'session.usage', actor, data, class: 'owner' };"),
      source('packages/runtime/src/a.ts', 'const open = (type: string, actor: string, data: unknown) => events.push(type);'),
    ],
    passes: [
      source('packages/core/src/a.ts', "return newEvent('session.usage', actor, data);"),
      source('packages/core/src/a.test.ts', "const event = { type: 'x', actor, data, class: 'owner' };"),
      source('packages/core/src/a.ts', "const data = { by: 'desk', class: 'desk' };"),
    ],
  },
  {
    name: 'pure rooms read no clock, chance, environment or locale, and runtime takes time from its port',
    check: checkPurity,
    caught: [
      source('packages/core/src/a.ts', 'const now = Date.now();'),
      source('packages/core/src/a.ts', 'const now = new Date();'),
      source('packages/events/src/a.ts', 'if (Math.random() > 0.5) return;'),
      source('packages/dreaming/src/a.ts', 'setTimeout(run, 1)'),
      source('packages/dreaming/src/a.ts', 'process.env.HOME'),
      source('packages/core/src/a.ts', 'crypto.randomUUID()'),
      source('packages/core/src/a.ts', "import { readFileSync } from 'node:fs';"),
      source('packages/core/src/a.ts', 'names.sort((a, b) => a.localeCompare(b))'),
      source('packages/runtime/src/worker/a.ts', 'const now = Date.now();'),
      source('packages/runtime/src/worker/a.ts', 'const start = performance.now();'),
      source('packages/runtime/src/a.ts', 'setTimeout(look, 1000);'),
      source('packages/runtime/src/a.ts', 'const signal = AbortSignal.timeout(1000);'),
      source('packages/runtime/src/time/a.ts', "import { setTimeout as sleep } from 'node:timers/promises';"),
    ],
    passes: [
      source('packages/core/src/a.ts', '// never Date.now()\nconst time = new Date(event.time).toISOString();'),
      source('packages/core/src/a.test.ts', 'const now = Date.now();'),
      source('packages/runtime/src/time/system-time.ts', 'setTimeout(then, ms)'),
      source('packages/runtime/src/a.ts', '// not Date.now()\nconst time = new Date(event.time).toISOString();'),
      source('packages/runtime/src/a.test.ts', 'const now = Date.now();'),
      source('apps/cli/src/a.ts', 'const now = Date.now();'),
    ],
  },
  {
    name: 'manifests pin versions and publish what they export',
    check: checkManifests,
    caught: [
      manifest('packages/core', { private: true, dependencies: { zod: '^4.6.7' } }),
      manifest('packages/core', { private: true, devDependencies: { zod: 'latest' } }),
      manifest('packages/core', { exports: { '.': './src/index.ts' }, publishConfig: {} }),
      manifest('packages/core', {
        exports: { '.': './src/index.ts' },
        publishConfig: { exports: { '.': { types: './dist/index.d.ts', default: './dist/main.js' } } },
      }),
      manifest('apps/cli', { bin: { dreamfold: './src/bin.ts' }, publishConfig: { exports: {}, bin: { dreamfold: './dist/main.js' } } }),
    ],
    passes: [
      manifest('packages/core', {
        exports: { '.': './src/index.ts', './package.json': './package.json' },
        publishConfig: { exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' } },
        dependencies: { zod: 'catalog:', '@dreamfold/events': 'workspace:*', eventemitter3: '5.0.4' },
      }),
    ],
  },
  {
    name: 'text speaks of the product, exceptions have reasons, AGENTS.md is short',
    check: checkText,
    caught: [
      source('docs/a.md', ['see ', 'work', 'notes.md'].join('/')),
      source('docs/a.md', ['asked for in issue', '3'].join(' ')),
      source('packages/core/src/a.ts', ['// as ..', 'shared', 'design.md says'].join('/')),
      source('AGENTS.md', 'line\n'.repeat(81)),
      source('packages/core/src/a.ts', ['// oxlint', 'disable-next-line no-console'].join('-')),
      source('packages/core/src/a.ts', ['// @ts', 'ignore'].join('-')),
    ],
    passes: [
      source('README.md', 'reads ../shared/data where it is there; the network/work folder'),
      source('AGENTS.md', 'line\n'.repeat(80)),
      source('packages/core/src/a.ts', '// oxlint-disable-next-line no-control-regex -- control characters are what it keeps out'),
    ],
  },
];

const root = import.meta.dirname;
const repository: readonly Source[] = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && path !== 'pnpm-lock.yaml' && existsSync(join(root, path)))
  .map((path) => source(path, readFileSync(join(root, path), 'utf8')));

describe.each(RULES)('$name', ({ check, caught, passes }) => {
  test('holds', () => {
    expect(check(repository)).toEqual([]);
  });

  test.each(caught.map((planted) => [planted].flat()).map((files) => ({ path: files[0]!.path, files })))(
    'catches %# in $path',
    ({ files }) => {
      expect(check(files)).toHaveLength(1);
    },
  );

  test('passes what only looks like it', () => {
    expect(passes.flatMap((planted) => check([planted].flat()))).toEqual([]);
  });
});
