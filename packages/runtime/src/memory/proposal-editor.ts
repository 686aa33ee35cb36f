import { DreamfoldError, idFrom, type GateVerdict } from '@dreamfold/events';
import { canonicalJson, patchOf, withProposedText, writtenBy, type PatchStatus } from '@dreamfold/core';
import { judgeEdit, newKnowledge, parseRef, verdictError, type Constitution, type Knowledge } from '@dreamfold/dreaming';
import type { Log } from '@dreamfold/log';
import { sha256 } from '../digest.ts';
import type { MemoryKeeper } from './memory-keeper.ts';
import { SessionReview } from '../dream/session-review.ts';
import { StoreDreams } from '../dream/store-dreams.ts';
import { MACHINE } from '../time/surroundings.ts';

export interface ProposalEdit {
  /** In the form that `proposedText` of `@dreamfold/core` gives. */
  text: string;
  /** Whose wording it is. */
  by: string;
  note?: string;
  /** What the operator allows in no memory. */
  constitution?: Constitution;
  /** Applies it at once, as a direct change by whoever edited it. Otherwise it waits for somebody else. */
  apply?: boolean;
}

export interface EditedProposal {
  patchId: string;
  status: PatchStatus;
  gates: GateVerdict[];
}

/** Lets a person reword what a dream proposes. */
export class ProposalEditor {
  readonly #log: Log;
  readonly #memory: MemoryKeeper;
  readonly #dreams: StoreDreams;

  constructor(log: Log, memory: MemoryKeeper) {
    this.#log = log;
    this.#memory = memory;
    this.#dreams = new StoreDreams(log, MACHINE);
  }

  /**
   * Puts an edited proposal in the place of one that waits, once it has passed the gates that any has to pass.
   * @returns null when the text says what was proposed
   * @throws DreamfoldError not_found, already_decided, invalid_argument (the text), precondition_failed and the like (a gate
   * stops it; rules are missing), store_locked (a dream of the store is under way), and those of the patch
   */
  async edit(store: string, former: string, edit: ProposalEdit): Promise<EditedProposal | null> {
    const summary = await this.#memory.load(store);
    const { state } = summary;
    const record = patchOf(state, former);
    if (record === undefined) throw notFound(former);
    const { text, by, note, constitution = [], apply = false } = edit;
    const { operations: before, evidence, dream_id: dreamId } = record.proposal;
    const after = withProposedText(before, text);
    if (after === null) return null;
    const review = new SessionReview(this.#log);
    const isNote = writtenBy(after)?.value.kind === 'note';
    const judged = judgeEdit(
      {
        before,
        after,
        evidence,
        gates: record.gates,
        note: note ?? '',
        document: state.document,
        counts: state.counts,
        constitution,
        knowledge: isNote ? newKnowledge() : await this.#knowledge(summary.id, review),
        untrusted: isNote ? await review.untrustedTexts(await this.#sessionsOf(evidence, dreamId)) : [],
      },
      sha256,
    );
    const stopped = verdictError(judged.gates, 'Edit it otherwise, or reject the proposal.');
    if (stopped !== null) throw stopped;
    const patchId = idFrom('patch', sha256(canonicalJson([summary.id, former, judged.operations, by])));
    await this.#memory.edit(summary.id, { ...judged, former, patchId, by, apply, ...(note === undefined ? {} : { note }) });
    const { status } = patchOf((await this.#memory.load(summary.id)).state, patchId)!;
    return { patchId, status, gates: judged.gates };
  }

  async #knowledge(store: string, review: SessionReview): Promise<Knowledge> {
    return (await this.#dreams.view(store, this.#memory, review)).knowledge;
  }

  /** Whose words a note may not copy: what it cites, and what its dream reviewed. */
  async #sessionsOf(evidence: readonly string[], dreamId: string | undefined): Promise<string[]> {
    const reviewed = dreamId === undefined ? [] : (await this.#dreams.load(dreamId)).reviewed.sessions.map(({ session_id: id }) => id);
    return [...evidence.flatMap((ref) => parseRef(ref).session ?? []), ...reviewed];
  }
}

function notFound(patchId: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no patch ${patchId}`, {
    path: 'patch',
    value: patchId,
    remedy: 'List them with `dreamfold review list --all`.',
  });
}
