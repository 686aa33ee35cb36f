import { PROPOSAL_STATUSES } from '@dreamfold/projections';
import { Option, type Command } from 'commander';
import { proposedText } from '@dreamfold/core';
import { DreamfoldError, isDreamfoldError, type Dreamfold, type EditedProposal, type ProposalQuery } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { defineCommand, REASON, words } from '../../define-command.ts';
import { editProposal } from '../../input/edit-proposal.ts';
import type { Io } from '../../io.ts';
import { alarmsOf, isoTime, isWaiting, waitingIn } from '@dreamfold/views';
import { insightLine, patchLines } from '../../render/patch-lines.ts';
import { pageQuery, tellCount, tellNext, withPages, type PageFlags } from '../../input/page-flags.ts';
import { BY, personOf } from '../../input/person.ts';
import { printable } from '../../render/printable.ts';
import { findProposal, proposalsOf, type Proposal } from '../../session/proposals.ts';
import { constitutionFor, RULES } from '../../input/rules-file.ts';
import { statusWord, tellProposal } from '../../render/tell-proposal.ts';
import { askAboutEach } from './review-ask.ts';

const SESSIONS_IN_LIST = 1;
const SESSIONS_SHOWN = Number.POSITIVE_INFINITY;

/** The option that shows what passed as well. */
const GATES = ['--gates', 'what every gate said, also those that passed'] as const;

export function register(program: Command, io: Io): void {
  const group = program
    .command('review')
    .summary('decide on what dreams propose')
    .description('A dream proposes patches to a memory store. Nothing changes until a person approves, unless the store says `auto`.');
  registerAsking(group, io);
  registerReading(group, io);
  registerDeciding(group, io);
  registerEditing(group, io);
}

function registerAsking(group: Command, io: Io): void {
  defineCommand(group, {
    usage: 'ask',
    summary: 'go through what waits, one by one (the same as `review` alone)',
    description: 'On a terminal, shows each proposal with its evidence and asks. Elsewhere it lists what waits.',
    examples: ['review', 'review --by ann'],
    isDefault: true,
  })
    .option(...BY)
    .option(...RULES)
    .option(...GATES)
    .action((flags: { by?: string; rules?: string; gates?: true }, command: Command) => {
      const by = personOf(flags.by);
      return withData(command, { io, readOnly: !io.interactive, mustExist: true }, async (dreamfold) =>
        io.interactive
          ? askAboutEach(dreamfold, { by, constitution: await constitutionFor(command, flags.rules), gates: flags.gates === true }, io)
          : list(dreamfold, command, io),
      );
    });
}

function registerReading(group: Command, io: Io): void {
  const listed = defineCommand(group, {
    usage: 'list',
    summary: 'list the proposals that wait',
    description:
      'Lists what waits for a person: what sounds like an order to the agents first, marked ALARM, then the oldest. With --all also what was decided, and the insights that a gate stopped, with the reason. With --status, --limit, --after or --count it lists patches of one status, by default those that wait, the newest first.',
    examples: ['review list', 'review list --all --store support', 'review list --status applied --limit 10', 'review list --json'],
  });
  withPages(listed)
    .addOption(new Option('--status <status>', 'only patches that are so').choices(PROPOSAL_STATUSES))
    .option('--store <name>', 'of one store only')
    .option('--all', 'what was decided or rejected as well')
    .option(...GATES)
    .action((_: ListFlags, command: Command) => withData(command, { io, readOnly: true }, (dreamfold) => list(dreamfold, command, io)));

  defineCommand(group, {
    usage: 'show <patch>',
    summary: 'one proposal with its gates and its evidence',
    description: 'Shows what a patch changes, what the gates said, and the events that bear it out.',
    examples: ['review show patch_4k2', 'review show patch_4k2 --json'],
  })
    .option(...GATES)
    .action((patch: string, { gates = false }: { gates?: boolean }, command: Command) =>
      withData(command, { io, readOnly: true }, async (dreamfold) => {
        const proposal = await findProposal(dreamfold, patch);
        io.document(documentOf(proposal));
        if (!io.json) await tellProposal(dreamfold, proposal, { io, sessions: SESSIONS_SHOWN, gates });
      }),
    );
}

function registerDeciding(group: Command, io: Io): void {
  defineCommand(group, {
    usage: 'approve <patch...>',
    summary: 'apply proposals',
    description: 'Approves and applies patches. Sessions that start from now on see them.',
    examples: ['review approve patch_4k2', 'review approve patch_4k2 patch_9x1 --note "Checked with the desk."'],
  })
    .option('--note <text>', 'a word on why', words)
    .option(...BY)
    .action((patches: string[], flags: { note?: string; by?: string }, command: Command) =>
      decide(patches, { command, io, status: 'applied' }, (dreamfold, { store, id }) => {
        const { note } = flags;
        return dreamfold.memory.approve(store.id, id, { by: personOf(flags.by), ...(note === undefined ? {} : { note }) });
      }),
    );

  defineCommand(group, {
    usage: 'reject <patch...>',
    summary: 'turn proposals down',
    description: 'Rejects patches. The same change is not proposed again.',
    examples: ['review reject patch_4k2 --reason "Two desks share this word."'],
  })
    .requiredOption(...REASON)
    .option(...BY)
    .action((patches: string[], flags: { reason: string; by?: string }, command: Command) =>
      decide(patches, { command, io, status: 'rejected' }, (dreamfold, { store, id }) =>
        dreamfold.memory.reject(store.id, id, { by: personOf(flags.by), reason: flags.reason }),
      ),
    );
}

interface EditFlags {
  text?: string;
  note?: string;
  by?: string;
  rules?: string;
  approve?: true;
}

function registerEditing(group: Command, io: Io): void {
  defineCommand(group, {
    usage: 'edit <patch>',
    summary: 'reword a proposal',
    description:
      'Opens what a proposal writes, a note or an insight, in $VISUAL or $EDITOR; or takes it from --text. What you make of it passes the same gates and takes the place of the proposal, in your name, with its reason and evidence. It then waits for somebody else, unless you --approve it as a change of your own.',
    examples: ['review edit patch_4k2', 'review edit patch_4k2 --text better.txt --note "Too common a word." --approve'],
  })
    .option('--text <file>', 'the new text, in the form of the "text" that `review show --json` gives; - for standard input')
    .option('--note <text>', 'a word on why', words)
    .option('--approve', 'apply it at once')
    .option(...BY)
    .option(...RULES)
    .action((patch: string, flags: EditFlags, command: Command) => {
      const by = personOf(flags.by);
      return withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
        const proposal = await findProposal(dreamfold, patch);
        mustWait(proposal);
        const { text, note, rules, approve = false } = flags;
        const constitution = await constitutionFor(command, rules);
        const given = { ...(text === undefined ? {} : { text }), ...(note === undefined ? {} : { note }) };
        const edited = await editProposal(dreamfold, proposal, { by, constitution, apply: approve, io, ...given });
        io.document({ former: proposal.id, store: proposal.store, patchId: edited?.patchId ?? null, status: edited?.status ?? null });
        tellEdited(proposal.id, edited, io);
      });
    });
}

function tellEdited(former: string, edited: EditedProposal | null, io: Io): void {
  if (edited === null) return io.line('Nothing was changed.');
  const { patchId, status } = edited;
  io.line(`${former} is now ${patchId}, ${status === 'applied' ? 'applied' : 'which waits for somebody else'}.`);
  if (status !== 'applied')
    io.line(
      io.withTyped(
        `They decide with \`dreamfold review approve ${patchId} --by NAME\`; \`dreamfold review show ${patchId}\` shows your change.`,
      ),
    );
}

interface ListFlags extends PageFlags {
  store?: string;
  status?: NonNullable<ProposalQuery['status']>;
  all?: true;
  gates?: true;
}

function documentOf(waiting: Proposal) {
  const { id, store, record } = waiting;
  const { proposal, time, ...decided } = record;
  const { operations } = proposal;
  return {
    id,
    store,
    proposedAt: isoTime(time),
    alarms: alarmsOf(waiting),
    ...decided,
    changes: patchLines(operations),
    text: proposedText(operations),
    ...proposal,
  };
}

async function listPage(dreamfold: Dreamfold, command: Command, io: Io): Promise<void> {
  const flags = command.opts<ListFlags>();
  const { status = 'waiting', store, count } = flags;
  const asked = { ...pageQuery(flags), status, ...(store === undefined ? {} : { store }) };
  const { rows, total, next } = await proposalsOf(dreamfold, { ...asked, order: 'newest' });
  if (count === true) return tellCount(total, io);
  io.document({ proposals: rows.map(documentOf), total, next });
  if (rows.length === 0) io.line('No such patch.');
  for (const proposal of rows) tellPatch(proposal, io);
  tellNext(next, command, io);
}

async function list(dreamfold: Dreamfold, command: Command, io: Io): Promise<void> {
  const { store, all, gates, status, limit, after, count } = command.opts<ListFlags>();
  if ((status ?? limit ?? after ?? count) !== undefined) return listPage(dreamfold, command, io);
  const ofStore = store === undefined ? {} : { store };
  const { rows } = await proposalsOf(dreamfold, { ...ofStore, ...(all === true ? {} : { status: 'waiting' }) });
  const waiting = waitingIn(rows);
  const decided = rows.filter((one) => !isWaiting(one));
  const storeId = store === undefined ? null : dreamfold.memory.idOf(store);
  const stopped = all === true ? await stoppedByGates(dreamfold, storeId) : [];
  io.document({ waiting: waiting.map(documentOf), ...(all === true ? { decided: decided.map(documentOf), stopped } : {}) });
  if (io.json) return;
  io.line(
    waiting.length === 0 ? 'Nothing waits for review.' : `${waiting.length} ${waiting.length === 1 ? 'proposal waits' : 'proposals wait'}:`,
  );
  for (const proposal of waiting) await tellProposal(dreamfold, proposal, { io, sessions: SESSIONS_IN_LIST, gates: gates === true });
  if (waiting.length > 0)
    io.line(io.withTyped('\nDecide with `dreamfold review approve PATCH…` or `dreamfold review reject PATCH --reason TEXT`.'));
  if (all === true) tellDecided(io, decided, stopped);
}

function tellDecided(io: Io, decided: readonly Proposal[], stopped: Awaited<ReturnType<typeof stoppedByGates>>): void {
  io.line(`\nDecided before: ${decided.length}`);
  for (const proposal of decided) tellPatch(proposal, io);
  io.line(`\nStopped by a gate: ${stopped.length}`);
  for (const { dream, insight, gate, reason } of stopped) {
    io.line(`${io.paint('bold', dream)}  gate "${gate}": ${printable(reason)}`);
    io.line(`  ${insightLine(insight)}`);
  }
}

/** A patch in a few lines, with who decided on it. */
function tellPatch({ id, store, record }: Proposal, io: Io): void {
  const { by, reason } = record.decision ?? { by: record.proposal.author, reason: '' };
  io.line(
    `${io.paint('bold', id)}  ${statusWord(record.status)} (${printable(store.name)}), by ${printable(by)}${reason === '' ? '' : `: ${printable(reason)}`}`,
  );
  for (const line of patchLines(record.proposal.operations)) io.line(`  ${line}`);
}

/** The insights that never became a patch. Only dreams with such insights are read. */
async function stoppedByGates(dreamfold: Dreamfold, storeId: string | null) {
  const { rows } = await dreamfold.lists.dreams({ order: 'oldest', ...(storeId === null ? {} : { store: storeId }) });
  const stopped = rows
    .filter(({ rejected }) => rejected > 0)
    .map(async ({ id: dream, store }) => {
      const { insights } = await dreamfold.dreams.load(dream);
      return insights.flatMap(({ insight, rejected }) => {
        const failed = rejected?.find((gate) => !gate.pass);
        return failed === undefined ? [] : [{ dream, store, insight, gate: failed.gate, reason: failed.reason }];
      });
    });
  return (await Promise.all(stopped)).flat();
}

interface Deciding {
  command: Command;
  io: Io;
  status: string;
}

/** All patches are found, and known to wait, before the first one is decided on. */
async function decide(
  prefixes: readonly string[],
  { command, io, status }: Deciding,
  act: (dreamfold: Dreamfold, proposal: Proposal) => Promise<void>,
): Promise<void> {
  await withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) => {
    const found = new Map<string, Proposal>();
    for (const prefix of prefixes) {
      const proposal = await findProposal(dreamfold, prefix);
      found.set(proposal.id, proposal);
    }
    const chosen = [...found.values()];
    for (const proposal of chosen) mustWait(proposal);
    const done: string[] = [];
    for (const proposal of chosen) {
      await act(dreamfold, proposal).catch((error: unknown) => {
        throw done.length > 0 && isDreamfoldError(error) ? halfDone(error, done, status) : error;
      });
      done.push(proposal.id);
    }
    const versions = new Map((await dreamfold.lists.stores()).map(({ id, version }) => [id, version]));
    io.document({ patches: chosen.map(({ id, store }) => ({ id, store, status, version: versions.get(store.id) })) });
    for (const { id, store, record } of chosen) {
      io.line(`${status} ${id} (${printable(store.name)}): ${patchLines(record.proposal.operations).join('; ')}`);
    }
  });
}

function mustWait(proposal: Proposal): void {
  if (isWaiting(proposal)) return;
  const { id, record } = proposal;
  throw new DreamfoldError('already_decided', `The patch ${id} is ${statusWord(record.status)} already`, {
    path: 'patch',
    value: id,
    remedy: 'See what waits with `dreamfold review list`.',
  });
}

function halfDone(error: DreamfoldError, done: readonly string[], status: string): DreamfoldError {
  const { code, message, remedy, path, value } = error;
  return new DreamfoldError(code, `${message} (${status} before it: ${done.join(', ')})`, {
    remedy,
    cause: error,
    ...(path === undefined ? {} : { path }),
    ...(value === undefined ? {} : { value }),
  });
}
