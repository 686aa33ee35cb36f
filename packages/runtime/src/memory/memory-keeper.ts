import {
  checkMethods,
  DreamfoldError,
  EvidenceRef,
  idFrom,
  idOfStream,
  streamOf,
  newEvent,
  type GateVerdict,
  type InsightsCounted,
  type MemoryPin,
  type StoreCreated,
} from '@dreamfold/events';
import {
  applyPatch,
  approvePatch,
  AUTO_APPROVER,
  blame,
  canonicalJson,
  createStore,
  diffVersions,
  documentAt,
  documentAtPoint,
  documentToFiles,
  editPatch,
  filesToDocument,
  initialMemory,
  isUndecided,
  patchesTowards,
  patchOf,
  proposePatch,
  rejectPatch,
  rollbackPatch,
  validatePatch,
  versionsOf,
  type BlamedLine,
  type EditPatch,
  type MemoryDocument,
  type MemoryPoint,
  type MemoryState,
  type PatchStatus,
  type PinnedMemory,
  type ProposePatch,
  type VersionDiff,
  type VersionEntry,
} from '@dreamfold/core';
import { SUPERSEDED } from '@dreamfold/dreaming';
import type { Log, Time } from '@dreamfold/log';
import { sha256 } from '../digest.ts';
import { directWrite, notePatch, type NoteWrite, type WriteOptions } from './direct-write.ts';
import { MEMORY_METHODS } from './memory-arguments.ts';
import { MemoryChanges, type Folded, type Step } from './memory-changes.ts';
import { readMemoryFiles, writeMemoryFiles } from './memory-directory.ts';
import { MACHINE, type Surroundings } from '../time/surroundings.ts';

/** So long a partition of a log may lag behind another one here. */
const MAX_LAG_MS = 10_000;

const TOOLS = { sha256 };

export interface StoreSummary {
  id: string;
  state: MemoryState;
}

export interface MemoryExport {
  version: number;
  /** Paths below the directory. */
  files: string[];
}

export interface MemoryImport {
  /** The patches that it took; none when the store held all of it already. */
  patchIds: string[];
  /** Playbook files whose readable lines are not what their data says. The data counts. */
  stale: string[];
}

/** A patch of a dream. */
export interface Proposal {
  patch: ProposePatch;
  /** What the gates said of it. */
  gates: GateVerdict[];
  /** A patch that makes way for it, if nobody has decided on that one yet. */
  supersedes: string | null;
}

/** Reads and changes memory stores. Every change is an append built on the newest state, so two writers never lose one. */
export class MemoryKeeper {
  readonly #log: Log;
  readonly #changes: MemoryChanges;
  readonly #time: Time;
  /** The seq that a stream is known to reach. */
  readonly #reached = new Map<string, number>();

  /** @param surroundings default those of the machine */
  constructor(log: Log, surroundings: Surroundings = MACHINE) {
    this.#log = log;
    this.#time = surroundings.time;
    this.#changes = new MemoryChanges({ log, ...surroundings });
  }

  /** The id of the store with a name; an id stands for itself. */
  idOf(name: string): string {
    return name.startsWith('memstore_') ? name : idFrom('memoryStore', sha256(`store/${name}`));
  }

  /**
   * Creates the store, or does nothing when it is there with the same settings.
   * @throws DreamfoldError invalid_argument, idempotency_conflict
   */
  async create(store: StoreCreated, by: string): Promise<string> {
    const id = this.idOf(store.name);
    await this.#changes.change(id, `create/${store.name}`, [(state) => createStore(state, { ...store, by })]);
    return id;
  }

  /** @throws DreamfoldError not_found */
  async load(nameOrId: string): Promise<StoreSummary> {
    const id = this.idOf(nameOrId);
    const state = await this.#changes.fold(id);
    if (state.store === null) throw noStore(nameOrId);
    return { id, state };
  }

  /** A store as it stood at the event `seq` of its stream; 0 is the newest. @throws DreamfoldError not_found */
  async asOf(store: string, seq: number): Promise<Folded> {
    const id = this.idOf(store);
    const folded = await (seq === 0 ? this.#changes.newest(id) : this.#changes.foldThrough(id, seq));
    if (folded.state.store === null) throw noStore(store);
    return folded;
  }

  async list(): Promise<StoreSummary[]> {
    const stores: StoreSummary[] = [];
    for await (const batch of this.#log.streams('memory')) {
      for (const { stream } of batch) {
        const id = idOfStream(stream);
        stores.push({ id, state: await this.#changes.fold(id) });
      }
    }
    return stores;
  }

  /** The versions that a session that starts now will see for as long as it lives. */
  async pin(names: readonly string[]): Promise<MemoryPin[]> {
    const pins: MemoryPin[] = [];
    for (const name of names) {
      const { id, state } = await this.load(name);
      pins.push({ store: id, version: state.version, hash: state.hash });
    }
    return pins;
  }

  /**
   * The documents that were pinned.
   * @throws DreamfoldError store_corrupt when the log no longer leads to the document that was pinned
   */
  async pinned(pins: readonly MemoryPin[]): Promise<PinnedMemory[]> {
    const pinned: PinnedMemory[] = [];
    for (const pin of pins) {
      const state = await this.#foldThrough(pin);
      const document = documentAt(state, pin.version);
      const hash = pin.version === 0 ? initialMemory.hash : state.history[pin.version - 1]?.hash;
      if (document === null || hash !== pin.hash) {
        throw new DreamfoldError('store_corrupt', `Version ${pin.version} of ${pin.store} is not what the session pinned`, {
          path: streamOf('memory', pin.store),
          value: pin.version,
          remedy: 'Run `dreamfold verify`.',
        });
      }
      pinned.push({ store: pin.store, version: pin.version, document });
    }
    return pinned;
  }

  /** Of a log with several partitions, the session may be here before the memory that it pinned. */
  async #foldThrough({ store, version }: MemoryPin): Promise<MemoryState> {
    if (this.#log.capabilities.partitions === 1) return this.#changes.fold(store);
    // Asked for before the store is read: what the store did not hold then comes after it.
    const after = await this.#log.cursor();
    let state = await this.#changes.fold(store);
    if (state.version >= version) return state;
    const ended = new AbortController();
    const takeBack = this.#time.after(MAX_LAG_MS, () => ended.abort());
    try {
      for await (const _ of this.#log.subscribe({ after, stream: streamOf('memory', store), signal: ended.signal })) {
        state = await this.#changes.fold(store);
        if (state.version >= version) break;
      }
    } finally {
      takeBack();
    }
    return state;
  }

  /** Every version, oldest first, with its patch, author, approver and reason. @throws DreamfoldError not_found */
  async versions(store: string): Promise<VersionEntry[]> {
    return versionsOf((await this.load(store)).state);
  }

  /** The document at a version, or at a time. @throws DreamfoldError not_found */
  async at(store: string, point: MemoryPoint): Promise<{ version: number; document: MemoryDocument }> {
    return documentAtPoint((await this.load(store)).state, point);
  }

  /** What differs between two versions. @throws DreamfoldError not_found */
  async diff(store: string, from: number, to: number): Promise<VersionDiff> {
    return diffVersions((await this.load(store)).state, from, to);
  }

  /** Which version wrote each line, of one memory or of all. @throws DreamfoldError not_found */
  async blame(store: string, path?: string): Promise<BlamedLine[]> {
    const { state } = await this.load(store);
    if (path === undefined || Object.hasOwn(state.document.memories, path)) return blame(state, path);
    throw new DreamfoldError('not_found', `${store} holds no memory ${path}`, {
      path: 'path',
      value: path,
      remedy: 'See what it holds with `dreamfold memory show`.',
    });
  }

  /**
   * Writes a store as Markdown files into a directory that is new or empty.
   * @param point default the newest version
   * @throws DreamfoldError not_found, path_conflict, store_full, invalid_path
   */
  async exportTo(store: string, directory: string, point?: MemoryPoint): Promise<MemoryExport> {
    const { state } = await this.load(store);
    const { version, document } = documentAtPoint(state, point ?? { version: state.version });
    const files = documentToFiles(document);
    await writeMemoryFiles(directory, files);
    return { version, files: files.map(({ path }) => path) };
  }

  /**
   * Makes a store equal to a directory of Markdown files, in one append: what the files no longer hold is removed.
   * @throws DreamfoldError not_found, invalid_import and others of the files, precondition_failed (the store has changed
   * meanwhile, a rule is broken), suspicious_unicode, secret_detected, and those of the patch
   */
  async importFrom(
    store: string,
    directory: string,
    { by, reason, constitution }: WriteOptions & { by: string; reason: string },
  ): Promise<MemoryImport> {
    const { id, state } = await this.load(store);
    const { document, stale } = filesToDocument(await readMemoryFiles(directory));
    const patches = patchesTowards(state.document, document).map((operations, i): ProposePatch => {
      const patchId = idFrom('patch', sha256(canonicalJson([id, state.version, i, operations])));
      return { patchId, operations, reason, author: by, ...(i === 0 ? { baseHash: state.hash } : {}) };
    });
    await this.#changes.change(
      id,
      'import',
      patches.map((patch) => directWrite(patch, constitution)),
    );
    return { patchIds: patches.map(({ patchId }) => patchId), stale };
  }

  /**
   * Records a dream's patches with what the gates said, in one append: each is rejected when one failed, applied when the
   * store's approval is `auto` and no gate leaves it to a person, otherwise left for one.
   * @returns where each patch stands; null for one that was not recorded, because what it touches has changed
   * @throws DreamfoldError not_found, evidence_required, evidence_not_found, idempotency_conflict, and those of the patch
   */
  async propose(store: string, proposals: readonly Proposal[]): Promise<(PatchStatus | null)[]> {
    for (const { patch } of proposals) await this.#needEvidence(patch.evidence ?? []);
    const id = this.idOf(store);
    const cause = `propose/${proposals.map(({ patch }) => `${patch.author}/${patch.patchId}`).join('/')}`;
    const went = await this.#changes.changeEach(id, cause, proposals.map(stepsOf));
    const state = await this.#changes.fold(id);
    return proposals.map(({ patch }, i) => (went[i] ? (patchOf(state, patch.patchId)?.status ?? null) : null));
  }

  /** Rejects what waits for somebody; what is decided on stays so. */
  async withdraw(store: string, patchIds: readonly string[], { by, reason }: { by: string; reason: string }): Promise<void> {
    const id = this.idOf(store);
    await this.#changes.change(
      id,
      `withdraw/${patchIds.join('/')}`,
      patchIds.map((patchId) => withdrawal(patchId, { by, reason })),
    );
  }

  /** Adds what a dream has counted of the insights that sessions followed, once. Dreams of one store come one after the other. */
  async countInsights(store: string, { dreamId, counts }: { dreamId: string; counts: InsightsCounted['counts'] }): Promise<void> {
    const event = newEvent('memory.insights_counted', `dream:${dreamId}`, { dream_id: dreamId, counts });
    await this.#changes.change(this.idOf(store), `count/${dreamId}`, [(state) => (state.countedBy === dreamId ? [] : [event])]);
  }

  /** Approves a patch and applies it. @throws DreamfoldError not_found, already_decided, self_approval_forbidden, precondition_failed */
  async approve(store: string, patchId: string, { by, note }: { by: string; note?: string }): Promise<void> {
    await this.#changes.change(this.idOf(store), `approve/${patchId}`, [
      (state) => approvePatch(state, { patchId, by, ...(note === undefined ? {} : { note }) }),
      (state) => applyPatch(state, { patchId, by }, TOOLS),
    ]);
  }

  /** @throws DreamfoldError not_found, already_decided */
  async reject(store: string, patchId: string, { by, reason }: { by: string; reason: string }): Promise<void> {
    await this.#changes.change(this.idOf(store), `reject/${patchId}`, [(state) => rejectPatch(state, { patchId, by, reason })]);
  }

  /** A person's wording of what waits, in the place of it; see `editPatch`. */
  async edit(store: string, edit: EditPatch): Promise<void> {
    await this.#changes.change(this.idOf(store), `edit/${edit.patchId}`, [(state) => editPatch(state, edit, TOOLS)]);
  }

  /** @throws DreamfoldError not_found, already_decided, rollback_conflict */
  async rollback(store: string, patchId: string, { by, reason }: { by: string; reason: string }): Promise<void> {
    await this.#changes.change(this.idOf(store), `rollback/${patchId}`, [(state) => rollbackPatch(state, { patchId, by, reason }, TOOLS)]);
  }

  /**
   * A direct change by its author.
   * @throws DreamfoldError evidence_not_found, suspicious_unicode, secret_detected, precondition_failed (also when a rule is
   * broken), and those of the patch
   */
  async write(store: string, patch: ProposePatch, { constitution }: WriteOptions = {}): Promise<void> {
    await this.#needEvidence(patch.evidence ?? []);
    await this.#changes.change(this.idOf(store), `write/${patch.patchId}`, [directWrite(patch, constitution)]);
  }

  /**
   * Writes a text at a path, in place of the note that stands there. Of several writers the last one wins, unless they say
   * which version they expect.
   * @returns the patch, null when the note says so already
   * @throws DreamfoldError not_found, invalid_path, path_conflict (also when a playbook stands there), precondition_failed (another
   * version than is expected, or a rule is broken), suspicious_unicode, secret_detected, and those of the patch
   */
  async writeNote(store: string, note: NoteWrite): Promise<string | null> {
    const { id } = await this.load(store);
    let patchId: string | null = null;
    await this.#changes.change(id, `note/${note.path}`, [
      (state) => {
        const patch = notePatch(id, state, note);
        patchId = patch?.patchId ?? null;
        return patch === null ? [] : directWrite(patch, note.constitution)(state);
      },
    ]);
    return patchId;
  }

  /** @throws DreamfoldError evidence_not_found when an event is named that is not on the log */
  async #needEvidence(evidence: readonly string[]): Promise<void> {
    for (const ref of evidence) {
      const parts = EvidenceRef.safeParse(ref).success ? ref.split('#') : null;
      const [stream, seq] = parts === null ? ['', Number.NaN] : [parts[0]!, Number(parts[1])];
      if (parts !== null && !((this.#reached.get(stream) ?? 0) >= seq)) this.#reached.set(stream, (await this.#log.head(stream)).seq);
      if ((this.#reached.get(stream) ?? 0) >= seq) continue;
      throw new DreamfoldError('evidence_not_found', `The patch names ${ref}, and no such event is on the log`, {
        path: 'evidence',
        value: ref,
        remedy: 'Name events as stream#seq, such as session/sesn_4k2#12.',
      });
    }
  }
}

checkMethods(MemoryKeeper, 'memory', MEMORY_METHODS);

function stepsOf({ patch, gates, supersedes }: Proposal): Step[] {
  const { patchId } = patch;
  const whenIs =
    (status: PatchStatus, step: Step): Step =>
    (state) =>
      patchOf(state, patchId)?.status === status ? step(state) : [];
  const failed = gates.filter((gate) => !gate.pass);
  const reason = failed.map((gate) => `${gate.gate}: ${gate.reason}`).join('; ');
  const isOpen = (state: MemoryState): boolean => state.store?.approval === 'auto' && !gates.some((gate) => gate.waits);
  return [
    (state) => proposePatch(state, patch, TOOLS),
    whenIs('proposed', (state) => validatePatch(state, { patchId, gates, by: 'system' })),
    whenIs('validated', (state) => {
      if (failed.length > 0) return rejectPatch(state, { patchId, by: 'system', reason });
      return isOpen(state) ? approvePatch(state, { patchId, by: AUTO_APPROVER }) : [];
    }),
    whenIs('approved', (state) => applyPatch(state, { patchId, by: 'system' }, TOOLS)),
    ...(supersedes === null || supersedes === patchId ? [] : [withdrawal(supersedes, { by: 'system', reason: SUPERSEDED })]),
  ];
}

/** Rejects a patch that waits. */
function withdrawal(patchId: string, { by, reason }: { by: string; reason: string }): Step {
  return (state) => {
    const record = patchOf(state, patchId);
    return record !== undefined && isUndecided(record.status) ? rejectPatch(state, { patchId, by, reason }) : [];
  };
}

function noStore(nameOrId: string): DreamfoldError {
  return new DreamfoldError('not_found', `There is no memory store ${nameOrId}`, {
    path: 'store',
    value: nameOrId,
    remedy: 'List them with `dreamfold memory`, or create it with `dreamfold memory create`.',
  });
}
