import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { DreamfoldError } from 'dreamfold';
import { defineCommand } from '../define-command.ts';
import { IN_REPOSITORY, typedHere } from '../how-called.ts';
import type { Io } from '../io.ts';
import { shellWord } from '../render/printable.ts';

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
  const file = join(relative('', resolve(directory)), 'team.ts');
  const files = starterFiles(basename(resolve(directory)), file);
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
  const next = runLine(file);
  io.document({ directory: resolve(directory), files: Object.keys(files), next });
  io.line(`Wrote ${Object.keys(files).join(', ')} into ${directory}. Next:`);
  io.line();
  io.line(`  ${next}`);
}

function runLine(file: string): string {
  return `${typedHere()} run ${shellWord(file)} "${TASK}"`;
}

function starterFiles(name: string, file: string): Record<string, string> {
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
    'README.md': readme(name, file),
  };
}

function versionOf(dependency: string): string {
  const manifest = JSON.parse(readFileSync(new URL(import.meta.resolve(`${dependency}/package.json`)), 'utf8')) as { version: string };
  return manifest.version;
}

function readme(name: string, file: string): string {
  const typed = typedHere();
  const types = IN_REPOSITORY
    ? 'The packages are not on npm yet: inside the repository, `dreamfold` and `zod` are found without an install.'
    : '`npm install` brings the types for your editor; to run the team it is not needed.';
  return `# ${name}

A lead with two specialists, in \`team.ts\`. In the directory in which \`init\` was run:

\`\`\`sh
${runLine(file)}
${typed} sessions
${typed} show SESSION              # its story; the beginning of the id is enough
${typed} replay SESSION --at 20    # the session as it was after event 20
${typed} verify                    # nothing was changed or lost
\`\`\`

The data is in \`./.dreamfold\` there. ${types}
With \`ANTHROPIC_API_KEY\` set, \`--model claude-…\` asks Claude instead of the scripts.
`;
}
