import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { DreamfoldError } from 'dreamfold';
import { defineCommand } from '../define-command.ts';
import type { Io } from '../io.ts';

const TASK = 'Where is order 17?';

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'init <dir>',
    summary: 'write a team of two specialists to start from',
    description:
      'Writes package.json, team.ts (a lead, two specialists, a tool and a rubric) and README.md into DIR. The team runs on scripted models, so it needs no key. Files that are there are never overwritten.',
    examples: ['init my-team', `run my-team/team.ts "${TASK}"`],
  }).action((directory: string) => init(directory, io));
}

function init(directory: string, io: Io): void {
  const files = starterFiles(basename(resolve(directory)));
  const there = Object.keys(files).filter((name) => existsSync(join(directory, name)));
  if (there.length > 0) {
    throw new DreamfoldError('path_conflict', `${directory} holds ${there.join(' and ')} already`, {
      path: directory,
      value: there,
      remedy: 'Name another directory, or move these files away.',
    });
  }
  try {
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, { flag: 'wx' });
  } catch (cause) {
    throw new DreamfoldError('invalid_path', `${directory} can't be written: ${(cause as Error).message}`, {
      path: directory,
      remedy: 'Name a directory that you may write to.',
      cause,
    });
  }
  const where = relative('', resolve(directory));
  io.document({ directory: resolve(directory), files: Object.keys(files) });
  io.line(`Wrote ${Object.keys(files).join(', ')} into ${directory}. Next:`);
  io.line();
  if (where !== '') io.line(`  cd ${where}`);
  io.line(`  dreamfold run team.ts "${TASK}"`);
}

function starterFiles(name: string): Record<string, string> {
  const manifest = {
    name:
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, '-')
        .replaceAll(/^-+|-+$/g, '') || 'team',
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    dependencies: { dreamfold: versionOf('dreamfold'), zod: versionOf('zod') },
  };
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    // The same file from source and from dist: the package ships its source.
    'team.ts': readFileSync(new URL('../../src/starter/team.ts', import.meta.url), 'utf8'),
    'README.md': readme(name),
  };
}

function versionOf(dependency: string): string {
  const manifest = JSON.parse(readFileSync(new URL(import.meta.resolve(`${dependency}/package.json`)), 'utf8')) as { version: string };
  return manifest.version;
}

function readme(name: string): string {
  return `# ${name}

A lead with two specialists, in \`team.ts\`.

\`\`\`sh
dreamfold run team.ts "${TASK}"
dreamfold sessions
dreamfold show SESSION              # every event; the beginning of the id is enough
dreamfold replay SESSION --at 20    # the session as it was after event 20
dreamfold verify                    # nothing was changed or lost
\`\`\`

The data is in \`./.dreamfold\`. \`npm install\` brings the types for your editor; to run the team it is not needed.
With \`ANTHROPIC_API_KEY\` set, \`--model claude-…\` asks Claude instead of the scripts.
`;
}
