import { Option, type Command } from 'commander';
import { streamOf } from '@dreamfold/events';
import { createStore, initialMemory } from '@dreamfold/core';
import type { Dreamfold } from 'dreamfold';
import { isoTime } from '@dreamfold/views/iso-time';
import { withData } from '../../data-directory.ts';
import { defineCommand, REASON, wholeNumber } from '../../define-command.ts';
import type { Io } from '../../io.ts';
import { BY, personOf } from '../../input/person.ts';
import { oneLine, printable } from '../../render/printable.ts';
import { findProposal } from '../../session/proposals.ts';
import { readText } from '../../input/read-text.ts';
import { constitutionFor, RULES } from '../../input/rules-file.ts';
import { registerFiles } from './memory-files.ts';
import { registerVersions } from './memory-versions.ts';

const MAX_NOTE_BYTES = 102_400;

export function register(program: Command, io: Io): void {
  const group = program
    .command('memory')
    .summary('what teams remember: look, write, compare, roll back')
    .description('A memory store is one document that sessions pin when they start. Every change of it is a patch on the log.');
  registerList(group, io);
  registerVersions(group, io);
  registerWriting(group, io);
  registerFiles(group, io);
}

function registerList(group: Command, io: Io): void {
  defineCommand(group, {
    usage: 'list',
    summary: 'list the stores (the same as `memory` alone)',
    description: 'Lists the memory stores, with the patches that wait for a person.',
    examples: ['memory', 'memory list --json'],
    isDefault: true,
  }).action((_: unknown, command: Command) => withData(command, { io, readOnly: true }, (dreamfold) => list(dreamfold, io)));
}

function registerWriting(group: Command, io: Io): void {
  defineCommand(group, {
    usage: 'create <name>',
    summary: 'make a store',
    description: 'With approval `manual` a person approves each patch that a dream proposes; with `auto` what passes the gates is applied.',
    examples: ['memory create support', 'memory create scratch --approval auto --description "May change by itself."'],
  })
    .addOption(new Option('--approval <how>', 'who approves what dreams propose').choices(['manual', 'auto']).default('manual'))
    .option('--description <text>', 'what it is for', '')
    .option(...BY)
    .action(async (name: string, { by, ...settings }: CreateFlags, command: Command) => {
      const store = { name, ...settings, by: personOf(by) };
      // Checked before a data directory is made for it.
      createStore(initialMemory, store);
      await withData(command, { io, readOnly: false }, (dreamfold) => create(dreamfold, store, io));
    });

  defineCommand(group, {
    usage: 'write <store> <path> <file>',
    summary: 'write a note into a store',
    description:
      'Puts a text at PATH, such as /notes/tone.md, and replaces the note that is there. You approve it by writing it; of several writers the last one wins, unless they say with --expect which version they have read. Secrets, characters that deceive a reader and what the rules forbid are refused, with the line and column. FILE may be - for standard input.',
    examples: ['memory write support /notes/tone.md tone.md', 'memory write support /notes/refunds.md - < refunds.md'],
  })
    .option(...REASON, 'Written by hand.')
    .option(...BY)
    .option(...RULES)
    .option('--expect <version>', 'only if the store is still at this version', wholeNumber(0))
    .action((...[store, path, file, flags, command]: [string, string, string, WriteFlags, Command]) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const content = await readText(file, { maxBytes: MAX_NOTE_BYTES });
        const constitution = await constitutionFor(command, flags.rules);
        const patchId = await dreamfold.memory.writeNote(store, {
          ...{ path, content, constitution, reason: flags.reason, by: personOf(flags.by) },
          ...(flags.expect === undefined ? {} : { expectedVersion: flags.expect }),
        });
        const { id, state } = await dreamfold.memory.load(store);
        io.document({ store: id, path, patchId, version: state.version, hash: state.hash });
        io.line(
          patchId === null
            ? `${printable(path)} holds this text already.`
            : `Wrote ${printable(path)}: version ${state.version} (${patchId}).`,
        );
      }),
    );

  defineCommand(group, {
    usage: 'rollback <store> <patch>',
    summary: 'take an applied patch back',
    description: 'Makes a new version without what PATCH did. Later changes of the same place have to go first.',
    examples: ['memory rollback support patch_4k2 --reason "Vouchers moved to billing."'],
  })
    .requiredOption(...REASON)
    .option(...BY)
    .action((...[store, patch, flags, command]: [string, string, DecisionFlags, Command]) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const proposal = await findProposal(dreamfold, patch, store);
        await dreamfold.memory.rollback(proposal.store.id, proposal.id, { by: personOf(flags.by), reason: flags.reason });
        const { state } = await dreamfold.memory.load(store);
        io.document({ store: proposal.store.id, patchId: proposal.id, version: state.version, hash: state.hash });
        io.line(`Rolled back ${proposal.id}: ${proposal.store.name} is at version ${state.version}.`);
      }),
    );
}

interface CreateFlags {
  approval: 'manual' | 'auto';
  description: string;
  by?: string;
}

interface WriteFlags extends DecisionFlags {
  rules?: string;
  expect?: number;
}

interface DecisionFlags {
  reason: string;
  by?: string;
}

async function create(dreamfold: Dreamfold, { by, ...store }: CreateFlags & { name: string; by: string }, io: Io): Promise<void> {
  const made = await madeBefore(dreamfold, store.name);
  const id = await dreamfold.memory.create(store, by);
  io.document({ id, ...store, created: made === null, ...made });
  const named = `${printable(store.name)} (${id})`;
  if (made === null) return io.line(`Made the store ${named}; approval is ${store.approval}.`);
  io.line(`The store ${named} was there already, with approval ${store.approval}: ${printable(made.made_by)} made it on ${made.made_at}.`);
  io.line('Whoever uses this log shares it. If that is not who you expected, look at --log and --data, or take another name.');
}

/** By whom and when a store was made, null for one that is not there. Two teams may have taken the same log, and the same name. */
async function madeBefore({ log, memory }: Dreamfold, name: string): Promise<{ made_by: string; made_at: string } | null> {
  for await (const [first] of log.read(streamOf('memory', memory.idOf(name)), { from: 1, to: 1 })) {
    return first === undefined ? null : { made_by: first.actor, made_at: isoTime(first.time) };
  }
  return null;
}

async function list(dreamfold: Dreamfold, io: Io): Promise<void> {
  const stores = await dreamfold.lists.stores();
  io.document({ stores });
  if (stores.length === 0) return io.line(io.withTyped('No memory store yet. Make one: `dreamfold memory create NAME`'));
  io.table(stores, [
    { title: 'STORE', value: ({ name }) => oneLine(name, 40), shrinksTo: 12 },
    { title: 'ID', value: ({ id }) => id, hides: 1 },
    { title: 'APPROVAL', value: ({ approval }) => approval ?? '-' },
    { title: 'VERSION', value: ({ version }) => version, align: 'right' },
    { title: 'MEMORIES', value: ({ memories }) => memories, align: 'right', hides: 2 },
    { title: 'WAITING', value: ({ waiting }) => waiting, align: 'right' },
  ]);
}
