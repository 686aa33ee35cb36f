import type { Command } from 'commander';
import type { MemoryPoint } from '@dreamfold/core';
import type { Constitution, Dreamfold } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { defineCommand, REASON } from '../../define-command.ts';
import type { Io } from '../../io.ts';
import { memoryPoint } from '../../input/memory-point.ts';
import { BY, personOf } from '../../input/person.ts';
import { printable } from '../../render/printable.ts';
import { constitutionFor, RULES } from '../../input/rules-file.ts';

interface ImportFlags {
  reason: string;
  by?: string;
  rules?: string;
}

/** The commands that take a store to Markdown files and back. */
export function registerFiles(group: Command, io: Io): void {
  defineCommand(group, {
    usage: 'export <store> <directory>',
    summary: 'write a store as Markdown files',
    description:
      'Writes each memory as a file into a directory that is new or empty: notes as they are, playbooks as agents read them, with their data below. The same version always gives the same bytes.',
    examples: ['memory export support ./support-memory', 'memory export support ./before --at 3'],
  })
    .option('--at <version>', 'as it was at this version, or at this time (UTC)', memoryPoint)
    .action((...[store, directory, { at }, command]: [string, string, { at?: MemoryPoint }, Command]) =>
      withData(command, { io, readOnly: true }, async (dreamfold) => {
        const { version, files } = await dreamfold.memory.exportTo(store, directory, at);
        io.document({ store: dreamfold.memory.idOf(store), version, directory, files });
        io.line(`Wrote version ${version} to ${printable(directory)}: ${files.length === 1 ? '1 file' : `${files.length} files`}.`);
      }),
    );

  defineCommand(group, {
    usage: 'import <store> <directory>',
    summary: 'make a store equal to such files',
    description:
      'Changes the store to what the files of DIRECTORY hold, all of it or nothing; memories without a file are removed. You approve it by importing it. Files that nobody changed change nothing; what is new is checked as by `memory write`.',
    examples: ['memory import support ./support-memory --reason "Reworded by the desk."'],
  })
    .option(...REASON, 'Imported from files.')
    .option(...BY)
    .option(...RULES)
    .action((...[store, directory, flags, command]: [string, string, ImportFlags, Command]) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) =>
        importFiles(dreamfold, { store, directory, flags, constitution: await constitutionFor(command, flags.rules) }, io),
      ),
    );
}

async function importFiles(
  dreamfold: Dreamfold,
  { store, directory, flags, constitution }: { store: string; directory: string; flags: ImportFlags; constitution: Constitution },
  io: Io,
): Promise<void> {
  const { patchIds, stale } = await dreamfold.memory.importFrom(store, directory, {
    by: personOf(flags.by),
    reason: flags.reason,
    constitution,
  });
  const { id, state } = await dreamfold.memory.load(store);
  io.document({ store: id, version: state.version, hash: state.hash, patchIds, stale });
  for (const file of stale) io.note(`${printable(file)}: its lines are not what its data says; the data below them was taken.`);
  io.line(
    patchIds.length === 0
      ? 'The store holds all of this already.'
      : `Imported ${printable(directory)}: version ${state.version} (${patchIds.join(', ')}).`,
  );
}
