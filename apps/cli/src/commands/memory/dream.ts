import { DREAM_STATUSES } from '@dreamfold/projections';
import { Option, type Command } from 'commander';
import { DreamfoldError, type Constitution, type Dreamfold, type DreamQuery, type DreamReport } from 'dreamfold';
import { withData } from '../../data-directory.ts';
import { collect, defineCommand } from '../../define-command.ts';
import { isPage, pageQuery, tellCount, tellNext, withPages, type PageFlags } from '../../input/page-flags.ts';
import { findByPrefix, MAX_SHOWN, withPrefix, type Sought } from '../../session/find-by-prefix.ts';
import { storesOf } from '../../session/proposals.ts';
import { findSession } from '../../session/find-session.ts';
import type { Io } from '../../io.ts';
import { insightLine } from '../../render/patch-lines.ts';
import { oneLine, printable } from '../../render/printable.ts';
import { constitutionFor, RULES } from '../../input/rules-file.ts';
import { guardLines } from '../../render/guard-lines.ts';
import { uncountedLines } from '../../render/uncounted-lines.ts';

export function register(program: Command, io: Io): void {
  const group = program
    .command('dream')
    .summary('learn from finished sessions')
    .description('A dream reads finished sessions and the feedback on them, and proposes what they teach as patches to a memory store.');

  defineCommand(group, {
    usage: 'run',
    summary: 'dream once (the same as `dream` alone)',
    description:
      'Reviews finished sessions, proposes insights, takes each through the gates, and says what was proposed or rejected and why. Proposals wait for `dreamfold review`, unless the store applies them by itself. Proposing nothing is a good dream.',
    examples: ['dream --store support', 'dream --store support --sessions sesn_4k2,sesn_9x1', 'dream --store support --rules rules.txt'],
    isDefault: true,
  })
    .option('--store <name>', 'the memory store to propose to; may be left out when there is one')
    .option('--sessions <id>', 'sessions to review, by comma or repeated; default: all finished ones', collect)
    .option(...RULES)
    .action((flags: RunFlags, command: Command) =>
      withData(command, { io, readOnly: false, mustExist: true }, async (dreamfold) =>
        run(dreamfold, { ...flags, constitution: await constitutionFor(command, flags.rules) }, io),
      ),
    );

  const listed = defineCommand(group, {
    usage: 'list',
    summary: 'list the dreams, oldest first',
    description: 'Lists all dreams with what came of them, or a page of them, the newest first.',
    examples: ['dream list', 'dream list --store support --limit 10', 'dream list --json'],
  });
  withPages(listed)
    .option('--store <name>', 'of one store only')
    .addOption(new Option('--status <status>', 'only those that are so').choices(DREAM_STATUSES))
    .action((_: ListFlags, command: Command) => withData(command, { io, readOnly: true }, (dreamfold) => list(dreamfold, command, io)));

  defineCommand(group, {
    usage: 'show <dream>',
    summary: 'one dream: what it read, proposed and rejected',
    description: 'Shows a dream by its id or the beginning of it.',
    examples: ['dream show drm_4k2', 'dream show drm_4k2 --json'],
  }).action((dream: string, _: unknown, command: Command) =>
    withData(command, { io, readOnly: true }, (dreamfold) => show(dreamfold, dream, io)),
  );
}

const DREAMS: Sought = { what: 'dream', plural: 'dreams', idPrefix: 'drm_', remedy: 'List them with `dreamfold dream list`.' };

interface RunFlags {
  store?: string;
  sessions?: string[];
  rules?: string;
}

async function run(dreamfold: Dreamfold, flags: RunFlags & { constitution: Constitution }, io: Io): Promise<void> {
  const store = flags.store ?? (await onlyStore(dreamfold));
  const given = flags.sessions?.flatMap((ids) => ids.split(',')).map((id) => id.trim());
  const sessions: string[] = [];
  for (const prefix of given ?? []) sessions.push(await findSession(dreamfold, prefix));
  const bar = io.progress('reviewing');
  const report = await dreamfold
    .dream({
      store,
      constitution: flags.constitution,
      thorough: true,
      ...(given === undefined ? {} : { sessions }),
      onProgress: (done, total) => bar.update(done, total),
    })
    .finally(() => bar.stop());
  io.document(report);
  tell(report, io);
}

async function onlyStore(dreamfold: Dreamfold): Promise<string> {
  const stores = await dreamfold.lists.stores();
  if (stores.length === 1) return stores[0]!.id;
  throw new DreamfoldError('invalid_argument', `There are ${stores.length} memory stores; --store says which one to propose to`, {
    path: '--store',
    remedy: stores.length === 0 ? 'Make one with `dreamfold memory create NAME`.' : 'List them with `dreamfold memory`.',
  });
}

function tell({ dreamId, reviewed, uncounted, guard, insights, nothing }: DreamReport, io: Io): void {
  io.line(
    `${io.paint('bold', dreamId)}: ${reviewed.sessions} finished sessions, ${reviewed.decisions} decisions, ${reviewed.labelled} with feedback`,
  );
  for (const line of uncountedLines(uncounted)) io.line(line);
  if (insights.length > 0) for (const line of guardLines(guard)) io.line(line);
  for (const { insight, reason, evidence, gates, patchId, status } of insights) {
    const failed = gates.find((gate) => !gate.pass);
    if (failed !== undefined && status === 'validated') {
      io.line(`${io.paint('red', 'forbidden')} ${insightLine(insight)}\n  gate "${failed.gate}": ${printable(failed.reason)}`);
      io.line(io.withTyped(`  It waits from an earlier dream. Turn it down: \`dreamfold review reject ${patchId} --reason TEXT\`.`));
    } else if (failed !== undefined) {
      io.line(`${io.paint('red', 'rejected')} ${insightLine(insight)}\n  gate "${failed.gate}": ${printable(failed.reason)}`);
    } else if (status === 'validated' || status === 'applied') {
      io.line(`${io.paint('green', status === 'applied' ? 'applied' : 'proposed')} ${insightLine(insight)}`);
      io.line(`  ${printable(reason)} (${evidence.length} events; ${patchId})`);
      if (status === 'validated') for (const gate of gates) if (gate.waits) io.line(`  waits: ${printable(gate.reason)}`);
    } else {
      io.line(
        `${io.paint('yellow', 'left out')} ${insightLine(insight)}\n  ${patchId} proposed the same and was ${status.replace('_', ' ')}.`,
      );
    }
  }
  if (insights.length === 0) io.line(`It proposes nothing. ${printable(nothing ?? '')}`.trimEnd());
  if (insights.some(({ status, gates }) => status === 'validated' && gates.every(({ pass }) => pass)))
    io.line(io.withTyped('\nDecide with `dreamfold review`.'));
}

interface ListFlags extends PageFlags {
  store?: string;
  status?: NonNullable<DreamQuery['status']>;
}

async function list(dreamfold: Dreamfold, command: Command, io: Io): Promise<void> {
  const flags = command.opts<ListFlags>();
  const { store, status, count } = flags;
  const stores = await storesOf(dreamfold);
  const { rows, total, next } = await dreamfold.lists.dreams({
    ...pageQuery(flags),
    ...(status === undefined ? {} : { status }),
    ...(store === undefined ? {} : { store: await stores.idOf(store) }),
  });
  if (count === true) return tellCount(total, io);
  const dreams = rows.map(({ id, store: of, ...row }) => ({
    id,
    store: of,
    storeName: of === null ? null : nameOrNull(stores.nameOf(of), of),
    ...row,
  }));
  io.document({ dreams, ...(isPage(flags) ? { total, next } : {}) });
  if (total === 0) return io.line(io.withTyped('No dream yet. Dream: `dreamfold dream --store NAME`'));
  io.table(dreams, [
    { title: 'DREAM', value: ({ id }) => id },
    { title: 'STORE', value: ({ store, storeName }) => oneLine(storeName ?? store ?? '-', 40), shrinksTo: 12 },
    { title: 'STATUS', value: ({ status }) => status },
    { title: 'SESSIONS', value: ({ sessions }) => sessions, align: 'right', hides: 1 },
    { title: 'INSIGHTS', value: ({ insights }) => insights, align: 'right' },
    { title: 'REJECTED', value: ({ rejected }) => rejected, align: 'right' },
  ]);
  tellNext(next, command, io);
}

/** The name of a store that was erased is gone. */
function nameOrNull(name: string, id: string): string | null {
  return name === id ? null : name;
}

async function show(dreamfold: Dreamfold, prefix: string, io: Io): Promise<void> {
  const begun = prefix === '' ? [] : await dreamfold.lists.findDreams(withPrefix(prefix, DREAMS), MAX_SHOWN + 1);
  const { id } = findByPrefix(begun, prefix, DREAMS);
  const state = await dreamfold.dreams.load(id);
  io.document({ id, ...state });
  const { sessions, decisions, labelled } = state.reviewed;
  io.line(`${io.paint('bold', id)} ${state.status}: ${sessions.length} sessions, ${decisions} decisions, ${labelled} with feedback`);
  for (const line of uncountedLines(state.uncounted)) io.line(line);
  for (const line of guardLines(state.refined?.guard ?? [])) io.line(line);
  if (state.error !== null) io.line(io.paint('red', `${state.error.type}: ${printable(state.error.message)}`));
  for (const { insight, reason, evidence, rejected } of state.insights) {
    const failed = rejected?.find((gate) => !gate.pass);
    io.line(`${failed === undefined ? io.paint('green', 'proposed') : io.paint('red', 'rejected')} ${insightLine(insight)}`);
    io.line(
      failed === undefined ? `  ${printable(reason)} (${evidence.length} events)` : `  gate "${failed.gate}": ${printable(failed.reason)}`,
    );
  }
  if (state.nothing !== null) io.line(`It proposes nothing. ${printable(state.nothing)}`);
  for (const patch of state.patchIds) io.verbatim(`  ${io.typed(`review show ${patch}`)}`);
}
