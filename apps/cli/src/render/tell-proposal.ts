import { Insight } from '@dreamfold/events';
import { isUndecided, keptLines, patchOf, proposedText, type PatchRecord, type PatchStatus } from '@dreamfold/core';
import type { Dreamfold } from 'dreamfold';
import { counted } from './counted.ts';
import { alarmsOf, citedStreams } from '@dreamfold/views';
import { evidenceLines } from './evidence-lines.ts';
import type { Io } from '../io.ts';
import { patchLines } from './patch-lines.ts';
import { printable } from './printable.ts';
import type { Proposal } from '../session/proposals.ts';

/** A proposal for people, with some of its evidence. */
export async function tellProposal(
  dreamfold: Dreamfold,
  proposal: Proposal,
  { io, sessions, gates }: { io: Io; sessions: number; gates: boolean },
): Promise<void> {
  const { id, store, record } = proposal;
  const { operations, reason, author, evidence } = record.proposal;
  const alarms = alarmsOf(proposal);
  const mark = alarms.length === 0 ? '' : `  ${io.paint(['bold', 'yellow'], `ALARM ${alarms.length}`)} ${alarms.join(', ')}`;
  io.line(
    `\n${io.paint('bold', id)}  ${statusWord(record.status)}, for the store ${printable(store.name)}, by ${printable(author)}${mark}`,
  );
  for (const line of patchLines(operations)) io.line(`  ${io.paint('green', line)}`);
  await tellEdit(dreamfold, proposal, io);
  io.line(`  why: ${printable(reason)}`);
  tellGates(record.gates, { io, all: gates });
  if (record.decision !== null) {
    const { by, reason: why } = record.decision;
    io.line(`  decided by ${printable(by)}${why === '' ? '' : `: ${printable(why)}`}`);
  }
  io.line(io.withTyped(`  ${evidenceHeading(proposal)}`));
  for (const line of await evidenceLines(dreamfold, evidence, { io, sessions, more: `review show ${id}` })) io.line(`    ${line}`);
}

/** What did not simply pass, first and in full; of the rest, how many there are. */
function tellGates(gates: PatchRecord['gates'], { io, all }: { io: Io; all: boolean }): void {
  const isQuiet = ({ pass, waits, alarms = [], dropped = [] }: PatchRecord['gates'][number]): boolean =>
    pass && waits !== true && alarms.length + dropped.length === 0;
  for (const gate of gates.filter((one) => !isQuiet(one))) {
    const remark = gate.waits === true ? 'waits for a person' : gate.dropped === undefined ? 'raises an alarm' : 'drops a part';
    const word = gate.pass ? remark : 'FAILED';
    const alarms = gate.alarms === undefined || gate.alarms.length === 0 ? '' : ` [${gate.alarms.join(', ')}]`;
    io.line(`  ${io.paint('yellow', `gate ${gate.gate} ${word}`)}${alarms}: ${printable(gate.reason)}`);
  }
  const quiet = gates.filter(isQuiet);
  if (all) for (const { gate, reason } of quiet) io.line(io.paint('dim', `  gate ${gate} passed: ${printable(reason)}`));
  else if (quiet.length > 0) io.line(io.paint('dim', `  ${counted(quiet.length, 'gate')} passed (--gates shows them)`));
}

/** A dream keeps some of what it counted as examples, so two figures may stand beside each other. */
function evidenceHeading({ record: { proposal } }: Proposal): string {
  const { evidence, operations, author } = proposal;
  const sessions = citedStreams(evidence).length;
  const named = `evidence: ${counted(evidence.length, 'event')} of ${counted(sessions, 'session')}`;
  const seen = Math.max(
    0,
    ...operations.flatMap((op) => {
      const insight = 'value' in op && op.op !== 'test' ? Insight.safeParse(op.value) : null;
      return insight?.success === true && 'support' in insight.data ? [insight.data.support.sessions] : [];
    }),
  );
  if (seen <= sessions) return named;
  const dream = author.startsWith('dream:')
    ? `; \`dreamfold dream show ${author.slice('dream:'.length)} --json\` names all that it read`
    : '';
  return `${named}, kept as examples of the ${seen} sessions that were counted${dream}`;
}

/** What a person has made of an earlier proposal, line by line. */
async function tellEdit(dreamfold: Dreamfold, { id, store, record }: Proposal, io: Io): Promise<void> {
  const { supersedes, author, operations } = record.proposal;
  const former = supersedes === undefined ? undefined : patchOf((await dreamfold.memory.load(store.id)).state, supersedes);
  if (former === undefined) return;
  const { proposal, decision } = former;
  const note = (decision?.reason ?? '').replace(`Edited as ${id}`, '').replace(/^[.:] ?/, '');
  const why = note === '' ? '' : `: ${printable(note)}`;
  io.line(`  edited by ${printable(author)} from ${supersedes} of ${printable(proposal.author)}${why}`);
  const [before, after] = [linesOf(proposal.operations), linesOf(operations)];
  const kept = keptLines(before, after);
  for (const [i, line] of before.entries()) if (!kept.includes(i)) io.line(`    ${io.paint('red', `- ${printable(line)}`)}`);
  for (const [i, line] of after.entries()) if (kept[i] === null) io.line(`    ${io.paint('green', `+ ${printable(line)}`)}`);
}

function linesOf(operations: PatchRecord['proposal']['operations']): string[] {
  return (proposedText(operations) ?? '').trimEnd().split('\n');
}

export function statusWord(status: PatchStatus): string {
  return isUndecided(status) ? 'waits' : status.replace('_', ' ');
}
