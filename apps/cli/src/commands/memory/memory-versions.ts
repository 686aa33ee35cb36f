import type { Command } from 'commander';
import { documentAtPoint, patchOf, renderMemory, type BlamedLine, type MemoryPoint } from '@dreamfold/core';
import { DreamfoldError, isDreamfoldError, type Dreamfold } from 'dreamfold';
import { isoTime } from '@dreamfold/views';
import { withData } from '../../data-directory.ts';
import { defineCommand, wholeNumber } from '../../define-command.ts';
import type { Io } from '../../io.ts';
import { memoryPoint } from '../../input/memory-point.ts';
import { patchLines } from '../../render/patch-lines.ts';
import { printable } from '../../render/printable.ts';
import { proposalsOf } from '../../session/proposals.ts';

/** The commands that look at a store as it is and as it was. */
export function registerVersions(group: Command, io: Io): void {
  const looks = { io, readOnly: true };
  defineCommand(group, {
    usage: 'show <store>',
    summary: 'what a store holds, as agents read it',
    description: 'Shows the newest version of a store, or an earlier one.',
    examples: ['memory show support', 'memory show support --at 2', 'memory show support --at 2026-11-21T10:30'],
  })
    .option('--at <version>', 'as it was at this version, or at this time (UTC)', memoryPoint)
    .action((store: string, { at }: { at?: MemoryPoint }, command: Command) =>
      withData(command, looks, (dreamfold) => show(dreamfold, { store, at }, io)),
    );

  defineCommand(group, {
    usage: 'history <store>',
    summary: 'every version, with who made it and why',
    description: 'Lists the versions of a store, oldest first. A rollback is a version as well: nothing is lost.',
    examples: ['memory history support', 'memory history support --json'],
  }).action((store: string, _: unknown, command: Command) => withData(command, looks, (dreamfold) => history(dreamfold, store, io)));

  defineCommand(group, {
    usage: 'diff <store> <from> [to]',
    summary: 'what differs between two versions',
    description:
      'Shows what a version has that an earlier one has not, as a unified diff of what agents read. With --json also as RFC 6902 operations. TO is the newest version when it is left out.',
    examples: ['memory diff support 3', 'memory diff support 3 5', 'memory diff support 5 3 --json'],
  }).action((...[store, from, to, , command]: [string, string, string | undefined, unknown, Command]) =>
    withData(command, looks, (dreamfold) =>
      diff(dreamfold, { store, from: version('from', from), to: to === undefined ? null : version('to', to) }, io),
    ),
  );

  defineCommand(group, {
    usage: 'blame <store> [path]',
    summary: 'which patch wrote each line',
    description:
      'Shows for each line the version that wrote it, who proposed and approved it. What a rollback restores keeps its first origin. With --json also dream, reason and evidence.',
    examples: ['memory blame support', 'memory blame support /playbooks/choices.md', 'memory blame support --json'],
  }).action((...[store, path, , command]: [string, string | undefined, unknown, Command]) =>
    withData(command, looks, (dreamfold) => blame(dreamfold, { store, path }, io)),
  );
}

/** @throws DreamfoldError invalid_argument */
function version(name: string, text: string): number {
  try {
    return wholeNumber(0)(text);
  } catch (error) {
    throw new DreamfoldError('invalid_argument', `${name} is not a version. ${(error as Error).message}`, {
      path: name,
      value: text.slice(0, 40),
      remedy: 'See the versions with `dreamfold memory history`.',
    });
  }
}

async function show(dreamfold: Dreamfold, { store, at }: { store: string; at: MemoryPoint | undefined }, io: Io): Promise<void> {
  const { id, state } = await dreamfold.memory.load(store);
  const { version, document } = reached(store, state.version, () => documentAtPoint(state, at ?? { version: state.version }));
  const text = renderMemory(document);
  io.document({ store: id, name: state.store!.name, version, document, text });
  io.line(io.paint('dim', `${printable(state.store!.name)}, version ${version} of ${state.version}`));
  io.line(text === '' ? 'Nothing that an agent would read.' : printable(text.trimEnd()));
  const { total: waiting } = await proposalsOf(dreamfold, { store, status: 'waiting', limit: 0 });
  if (waiting > 0) io.line(io.withTyped(`\nWaiting for you: ${waiting}. See them with \`dreamfold review\`.`));
}

/** A version that there is not is a wrong argument here. */
function reached<T>(store: string, newest: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isDreamfoldError(error, 'not_found')) throw error;
    throw new DreamfoldError('invalid_argument', `${store} has versions 0 to ${newest}`, {
      path: 'version',
      value: error.value,
      remedy: 'See them with `dreamfold memory history`.',
    });
  }
}

async function history(dreamfold: Dreamfold, store: string, io: Io): Promise<void> {
  const { id, state } = await dreamfold.memory.load(store);
  const versions = (await dreamfold.memory.versions(id)).map((made) => {
    const applied = made.change === 'applied';
    const changes = patchLines(patchOf(state, made.patchId)!.proposal.operations);
    return { ...made, time: isoTime(made.time), by: applied ? made.approver : made.by, changes };
  });
  io.document({ store: id, name: state.store!.name, version: state.version, history: versions });
  if (versions.length === 0) return io.line('No change yet: version 0 is the empty document.');
  for (const { version, time, change, patchId, author, by, reason, changes, status } of versions) {
    const applied = change === 'applied';
    const done = `${applied ? 'applied' : 'rolled back'} by ${printable(by)}`;
    const proposed = author === by || !applied ? '' : `, proposed by ${printable(author)}`;
    const since = applied && status === 'rolled_back' ? ' (rolled back since)' : '';
    io.line(`${io.paint('bold', `version ${version}`)}  ${second(time)}  ${done}${proposed}  ${patchId}${since}`);
    for (const line of changes) io.line(`  ${applied ? line : `no longer: ${line}`}`);
    io.line(io.paint('dim', `  ${printable(reason)}`));
  }
}

function second(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

async function diff(dreamfold: Dreamfold, wanted: { store: string; from: number; to: number | null }, io: Io): Promise<void> {
  const { id, state } = await dreamfold.memory.load(wanted.store);
  for (const version of [wanted.from, wanted.to ?? 0]) reached(wanted.store, state.version, () => documentAtPoint(state, { version }));
  const { from, to, operations, text } = await dreamfold.memory.diff(id, wanted.from, wanted.to ?? state.version);
  io.document({ store: id, name: state.store!.name, from, to, operations, text });
  if (operations.length === 0) return io.line(`Versions ${from} and ${to} are the same.`);
  if (text === '') return io.line(`Versions ${from} and ${to} read the same; ${operations.length} operations differ (--json shows them).`);
  for (const line of text.trimEnd().split('\n')) io.line(paintDiff(line, io));
}

function paintDiff(line: string, io: Io): string {
  const shown = printable(line);
  if (/^(?:---|\+\+\+) /.test(line)) return io.paint('bold', shown);
  if (line.startsWith('@@')) return io.paint('cyan', shown);
  if (line.startsWith('-')) return io.paint('red', shown);
  return line.startsWith('+') ? io.paint('green', shown) : shown;
}

async function blame(dreamfold: Dreamfold, { store, path }: { store: string; path: string | undefined }, io: Io): Promise<void> {
  const { id, state } = await dreamfold.memory.load(store);
  const lines = await dreamfold.memory.blame(store, path);
  io.document({ store: id, name: state.store!.name, version: state.version, lines });
  if (lines.length === 0) return io.line('Nothing that an agent would read.');
  const origins = lines.map(originLine);
  const width = Math.max(...origins.map(({ length }) => length));
  for (const [i, { text }] of lines.entries()) io.line(`${io.paint('dim', origins[i]!.padEnd(width))}  ${printable(text)}`.trimEnd());
}

function originLine({ origin }: BlamedLine): string {
  if (origin === null) return '';
  const { version, time, patchId, author, approver } = origin;
  const approved = approver === author ? '' : ` (${approver})`;
  return printable(`${version} ${isoTime(time).slice(0, 10)} ${patchId.slice(0, 15)} ${author}${approved}`);
}
