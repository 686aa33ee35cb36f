import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { blobsNamedBy } from '@dreamfold/events';
import { DreamfoldError, type Dreamfold } from 'dreamfold';
import { counted } from '../render/counted.ts';
import { dataDirectory, logUrl, withData } from '../data-directory.ts';
import { defineCommand, REASON } from '../define-command.ts';
import { findErasable, learntFrom, type Erasable, type ErasableQuery, type LearntPatch } from '../session/erasable.ts';
import { findSession } from '../session/find-session.ts';
import { BY, personOf } from '../input/person.ts';
import type { Io } from '../io.ts';

interface EraseFlags {
  event?: string;
  principal?: string;
  reason?: string;
  by?: string;
  yes?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'erase [session]',
    summary: 'take out what was said, for good',
    description:
      'Erases the payloads of a session, of one event, or of all that a principal wrote: on the log, in the lists that are kept of it, and wherever they are quoted. Envelopes and hashes stay, so the log still verifies, and an event says who erased what and why. Shows what it found and asks; --yes does not ask. Ends with a list of what it does not reach.',
    examples: ['erase sesn_4k2', 'erase --event sevt_9fT2mXq4Lc7VbN1d --reason "a leaked key"', 'erase --principal "Ann Lee" --yes'],
  })
    .option('--event <id>', 'only this event')
    .option('--principal <name>', 'the sessions of a principal, and what they said in others')
    .option(...REASON)
    .option(...BY)
    .option('--yes', 'do not ask')
    .action((session: string | undefined, flags: EraseFlags, command: Command) => erase({ session, flags, command }, io));
}

async function erase(
  { session, flags, command }: { session: string | undefined; flags: EraseFlags; command: Command },
  io: Io,
): Promise<void> {
  const { event, principal, reason = 'asked for', by, yes = false } = flags;
  if ([session, event, principal].filter((one) => one !== undefined).length !== 1) throw oneOfThree();
  const person = personOf(by).slice('person:'.length);
  if (!yes && !io.interactive) throw nobodyToAsk();
  await withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
    const query: ErasableQuery =
      session !== undefined
        ? { session: await findSession(dreamfold, session) }
        : event !== undefined
          ? { event }
          : { principal: principal! };
    const found = await findErasable(dreamfold, query);
    const total = found.reduce((sum, { events }) => sum + events.length, 0);
    for (const one of found) io.line(`${one.stream}: ${counted(one.events.length, 'event')} (${typesOf(one)})`);
    if (!yes && (await io.choose(`Erase ${counted(total, 'payload')} for good?`, QUESTION)) !== 'erase') {
      io.line('Nothing was erased.');
      return;
    }
    const blobs = await blobsOf(dreamfold, found);
    for (const { stream, events } of found) await dreamfold.erase(stream, { ids: events.map(({ id }) => id), reason, by: person });
    const streams = found.map(({ stream }) => stream);
    const unreached: Unreached = {
      blobs: await stillThere(dreamfold, blobs),
      formerReplicas: await formerReplicas(dataDirectory(command)),
      learnt: await learntFrom(dreamfold, streams),
    };
    io.document({ erased: found, reason, by: person, unreached });
    io.line(
      total === 0 ? 'There was nothing left to erase.' : `Erased ${counted(total, 'payload')} of ${counted(found.length, 'session')}.`,
    );
    tellUnreached(unreached, { isOnKafka: logUrl(command) !== null }, io);
  });
}

const QUESTION = [
  { value: 'keep' as const, label: 'Keep' },
  { value: 'erase' as const, label: 'Erase' },
];

function typesOf({ events }: Erasable): string {
  return [...new Set(events.map(({ type }) => type))].join(', ');
}

/** What is left of it, and where. */
interface Unreached {
  /** Named by other events too, or on a topic from which nothing is taken. */
  blobs: readonly string[];
  formerReplicas: readonly string[];
  learnt: readonly LearntPatch[];
}

async function blobsOf(dreamfold: Dreamfold, found: readonly Erasable[]): Promise<Set<string>> {
  const blobs = new Set<string>();
  for (const { stream, events } of found) {
    const seqs = new Set(events.map(({ seq }) => seq));
    for await (const batch of dreamfold.log.archive.readStored(stream)) {
      for (const event of batch) if (seqs.has(event.seq)) for (const sha256 of blobsNamedBy(event)) blobs.add(sha256);
    }
  }
  return blobs;
}

async function stillThere(dreamfold: Dreamfold, blobs: ReadonlySet<string>): Promise<string[]> {
  const still: string[] = [];
  for (const sha256 of blobs) if ((await dreamfold.log.blobs.get(sha256)) !== null) still.push(sha256);
  return still;
}

/** Replicas of a log on Kafka that were kept when another was built in their place. */
async function formerReplicas(directory: string): Promise<string[]> {
  const replicas = join(directory, 'kafka');
  if (!existsSync(replicas)) return [];
  const { localReplicas } = await import('@dreamfold/log-kafka');
  const prefixes = readdirSync(replicas, { withFileTypes: true }).filter((one) => one.isDirectory());
  return prefixes.flatMap(({ name }) => localReplicas(join(replicas, name)).former.map((former) => former.directory));
}

function tellUnreached({ blobs, formerReplicas: former, learnt }: Unreached, { isOnKafka }: { isOnKafka: boolean }, io: Io): void {
  io.line('This does not reach:');
  io.line('exports and backups that were made before, traces that were sent elsewhere, and what models were sent', '  ');
  if (isOnKafka)
    io.line('the brokers’ disks, until the keys are destroyed and the topic of keys is compacted; other machines’ former replicas', '  ');
  for (const path of former) io.line(`the former replica ${path}: delete it`, '  ');
  const why = isOnKafka ? 'on Kafka no blob is erased' : 'other events name it';
  for (const sha256 of blobs) io.line(`the blob ${sha256}: ${why}`, '  ');
  for (const { store, patchId } of learnt) {
    io.line(`what was learnt from it: ${patchId} of ${store}; see \`${io.typed(`memory show ${store}`)}\``, '  ');
  }
}

function oneOfThree(): DreamfoldError {
  return new DreamfoldError('invalid_argument', 'Name what is to be erased: a session, --event or --principal', {
    path: 'session',
    remedy: 'Give exactly one of the three: `dreamfold erase --help`.',
  });
}

function nobodyToAsk(): DreamfoldError {
  return new DreamfoldError('invalid_argument', 'Nobody can be asked here whether to erase it', {
    path: '--yes',
    remedy: 'Add --yes, or run it in a terminal without --json.',
  });
}
