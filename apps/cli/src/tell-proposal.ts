import { keptLines, patchOf, proposedText, type PatchRecord } from '@dreamfold/core';
import type { Dreamfold } from 'dreamfold';
import { counted } from './counted.ts';
import { evidenceLines } from './evidence-lines.ts';
import type { Io } from './io.ts';
import { patchLines } from './patch-lines.ts';
import { printable } from './printable.ts';
import { alarmsOf, type Proposal } from './proposals.ts';

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
  const passed = record.gates.filter((gate) => gate.pass).map(({ gate }) => gate);
  if (!gates && passed.length > 0) io.line(`  gates passed: ${passed.join(', ')}`);
  if (gates) for (const gate of record.gates) io.line(`  gate ${gate.gate} ${gate.pass ? 'passed' : 'FAILED'}: ${printable(gate.reason)}`);
  if (isOpen(record.status)) for (const { waits, reason: why } of record.gates) if (waits) io.line(`  waits because: ${printable(why)}`);
  if (record.decision !== null) {
    const { by, reason: why } = record.decision;
    io.line(`  decided by ${printable(by)}${why === '' ? '' : `: ${printable(why)}`}`);
  }
  io.line(`  evidence: ${counted(evidence.length, 'event')}`);
  for (const line of await evidenceLines(dreamfold, evidence, { io, sessions })) io.line(`    ${line}`);
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

function isOpen(status: PatchRecord['status']): boolean {
  return status === 'proposed' || status === 'validated';
}

export function statusWord(status: PatchRecord['status']): string {
  return isOpen(status) ? 'waits' : status.replace('_', ' ');
}
