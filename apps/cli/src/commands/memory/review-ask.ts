import type { Constitution, Dreamfold } from 'dreamfold';
import { isDreamfoldError } from 'dreamfold';
import { editProposal } from '../../input/edit-proposal.ts';
import { EXIT } from '../../exit-code.ts';
import { waitingIn } from '@dreamfold/views';
import type { Io } from '../../io.ts';
import { tellError } from '../../report.ts';
import { proposalsOf, type Proposal } from '../../session/proposals.ts';
import { tellProposal } from '../../render/tell-proposal.ts';

interface Reviewer {
  by: string;
  constitution: Constitution;
  /** Shows what every gate said. */
  gates: boolean;
}

/** Shows each proposal and asks; leaving stops, and what was decided stays decided. */
export async function askAboutEach(dreamfold: Dreamfold, reviewer: Reviewer, io: Io): Promise<void> {
  const waiting = waitingIn((await proposalsOf(dreamfold, { status: 'waiting' })).rows);
  if (waiting.length === 0) return io.line('Nothing waits for review.');
  for (const [i, proposal] of waiting.entries()) {
    await tellProposal(dreamfold, proposal, { io, sessions: 1, gates: reviewer.gates });
    let decided = false;
    while (!decided) {
      try {
        decided = await askOnce(dreamfold, proposal, { ...reviewer, io, question: `${i + 1} of ${waiting.length}: apply it?` });
      } catch (error) {
        // Somebody else may have decided meanwhile; the rest can go on.
        if (!isDreamfoldError(error)) throw error;
        tellError(error, io);
        decided = error.code === 'already_decided';
      }
      if (io.exitCode === EXIT.interrupted) return;
    }
  }
}

/** @returns false when the same question is to be asked again */
async function askOnce(dreamfold: Dreamfold, proposal: Proposal, asking: Reviewer & { io: Io; question: string }): Promise<boolean> {
  const { by, constitution, io, question } = asking;
  const { id, store } = proposal;
  const answer = await io.choose(question, [
    { value: 'approve', label: 'Approve' },
    { value: 'reject', label: 'Reject' },
    { value: 'edit', label: 'Edit, and approve what you make of it' },
    { value: 'skip', label: 'Decide later' },
  ]);
  const reason = answer === 'reject' ? await io.askText('Why not?') : '';
  if (answer === null || reason === null) io.exitCode = EXIT.interrupted;
  else if (answer === 'approve') await dreamfold.memory.approve(store.id, id, { by });
  else if (answer === 'reject') await dreamfold.memory.reject(store.id, id, { by, reason });
  else if (answer === 'edit') {
    const edited = await editProposal(dreamfold, proposal, { by, constitution, apply: true, io });
    if (edited === null) io.note('Nothing was changed.');
    return edited !== null;
  }
  return true;
}
