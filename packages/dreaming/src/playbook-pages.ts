import {
  MAX_MEMORIES,
  canonicalJson,
  checkMemoryPath,
  checkPathsApart,
  escapeToken,
  utf8Bytes,
  type MemoryDocument,
} from '@dreamfold/core';
import { DreamfoldError, isDreamfoldError, type ChoiceInsight, type Finding, type Insight, type PatchOperation } from '@dreamfold/events';
import type { Misfit } from './gates/candidate.ts';

/** Where dreams put what they find: the first page; others follow as `-2`, `-3`. */
export const CHOICE_PLAYBOOK = '/playbooks/choices.md';
export const RECOVERY_PLAYBOOK = '/playbooks/recoveries.md';
const CHOICES = 'Choices that feedback has shown to be right';
const TITLE = { choice: CHOICES, base_rate: CHOICES, recovery: 'What runs did after an error' } as const;
/** Where the pages are; a note there would be in the way of the next one. */
const FOLDER = '/playbooks/';
/** A page takes no new insights beyond this: those that it has need room to grow. A memory has 100 KiB. */
const FULL_BYTES = 12_000;
/** An insight that would grow its page beyond this is moved to another one. */
const MAX_BYTES = 24_000;
/** What one patch retires along with what it writes: a patch has at most 50 operations and 240 KiB, its inverse among them. */
const RETIRED_TOGETHER = 20;
const RETIRED_TOGETHER_BYTES = 40_000;

export interface StoredInsight {
  /** Path of the playbook that it stands in. */
  path: string;
  insight: Insight;
}

/** All insights of a document, in the order of playbook and id. */
export function storedInsights(document: MemoryDocument): StoredInsight[] {
  return Object.entries(document.memories)
    .flatMap(([path, memory]) => (memory.kind === 'playbook' ? Object.values(memory.insights).map((insight) => ({ path, insight })) : []))
    .sort((a, b) => (a.path + a.insight.id < b.path + b.insight.id ? -1 : 1));
}

/** Finds a place for each new insight, and says which pages have to be made first. */
export class PlaybookPages {
  readonly #document: MemoryDocument;
  readonly #bytes = new Map<string, number>();
  /** Each makes one missing page. A page holds nothing that a dream has learnt, so it needs no review. */
  readonly missing: PatchOperation[] = [];

  constructor(document: MemoryDocument) {
    this.#document = document;
  }

  /** Why the store has no place for a finding; null when it has. */
  misfitOf(finding: Finding): Misfit | null {
    const { memories } = this.#document;
    const isFull = Object.keys(memories).length + this.missing.length >= MAX_MEMORIES;
    const full = { reason: `The store holds ${MAX_MEMORIES} memories, and no more.`, code: 'patch_too_large' };
    if (finding.kind !== 'note') return isFull && !this.#hasRoomFor(finding) ? full : null;
    const { path } = finding;
    const before = Object.hasOwn(memories, path) ? memories[path]! : null;
    if (before?.kind === 'playbook' || `${path}/`.toLowerCase().startsWith(FOLDER)) {
      return { reason: `What is in ${FOLDER} or is a playbook, dreams write themselves.`, code: 'path_conflict' };
    }
    if (before !== null) return null;
    if (isFull) return full;
    try {
      checkMemoryPath(path);
      checkPathsApart([...Object.keys(memories), path], [path]);
      return null;
    } catch (error) {
      if (!isDreamfoldError(error)) throw error;
      return { reason: error.message, code: error.code };
    }
  }

  /** @throws DreamfoldError path_conflict when a note stands where a page belongs */
  place(insight: Insight): string {
    const bytes = bytesOf(insight);
    for (let page = 1; ; page += 1) {
      const path = pagePath(insight, page);
      const before = this.#bytesOf(path, TITLE[insight.kind]);
      if (before > 0 && before + bytes > FULL_BYTES) continue;
      this.#bytes.set(path, before + bytes);
      return path;
    }
  }

  /** On a page that is there, or where it stands already. */
  #hasRoomFor(insight: Insight): boolean {
    const bytes = bytesOf(insight);
    for (let page = 1; ; page += 1) {
      const path = pagePath(insight, page);
      if (!this.#bytes.has(path) && !Object.hasOwn(this.#document.memories, path)) return false;
      const before = this.#bytesOf(path, TITLE[insight.kind]);
      if (before === 0 || before + bytes <= FULL_BYTES) return true;
    }
  }

  /** What writes an insight again: where it stands, or on another page when it has grown too large for this one. */
  replace(stored: StoredInsight, by: Insight): PatchOperation[] {
    const bytes = this.#bytesOf(stored.path, TITLE[by.kind]) + bytesOf(by) - bytesOf(stored.insight);
    if (bytes <= MAX_BYTES) {
      this.#bytes.set(stored.path, bytes);
      return replaceInsight(stored, by);
    }
    return [...removeInsight(stored), ...addInsight(this.place(by), by)];
  }

  #bytesOf(path: string, title: string): number {
    const known = this.#bytes.get(path);
    if (known !== undefined) return known;
    const memory = Object.hasOwn(this.#document.memories, path) ? this.#document.memories[path]! : null;
    if (memory === null) {
      this.missing.push({ op: 'add', path: `/memories/${escapeToken(path)}`, value: { kind: 'playbook', title, insights: {} } });
      return 0;
    }
    if (memory.kind === 'playbook') return Object.values(memory.insights).reduce((sum, insight) => sum + bytesOf(insight), 0);
    throw new DreamfoldError('path_conflict', `${path} is a note; dreams keep what they find in a playbook of that name`, {
      path,
      remedy: 'Move the note to another path.',
    });
  }
}

function pagePath({ kind }: Insight, page: number): string {
  const first = kind === 'recovery' ? RECOVERY_PLAYBOOK : CHOICE_PLAYBOOK;
  return page === 1 ? first : first.replace(/\.md$/, `-${page}.md`);
}

/** How many of these insights one patch can remove, besides writing another one. */
export function retiredTogether(insights: readonly StoredInsight[]): number {
  let bytes = 0;
  const most = insights.findIndex(({ insight }, i) => i >= RETIRED_TOGETHER || (bytes += bytesOf(insight)) > RETIRED_TOGETHER_BYTES);
  return most === -1 ? insights.length : most;
}

export function addInsight(path: string, insight: Insight): PatchOperation[] {
  return [{ op: 'add', path: pointerTo(path, insight.id), value: insight }];
}

function replaceInsight({ path, insight }: StoredInsight, by: Insight): PatchOperation[] {
  return [
    { op: 'test', path: pointerTo(path, insight.id), value: insight },
    { op: 'replace', path: pointerTo(path, insight.id), value: by },
  ];
}

export function removeInsight({ path, insight }: StoredInsight): PatchOperation[] {
  return [
    { op: 'test', path: pointerTo(path, insight.id), value: insight },
    { op: 'remove', path: pointerTo(path, insight.id) },
  ];
}

function pointerTo(path: string, id: string): string {
  return `/memories/${escapeToken(path)}/insights/${escapeToken(id)}`;
}

/** Insights never change, and most stand in every version of a document. */
const sizes = new WeakMap<Insight, number>();

/** Of an insight on its page, with its key and the comma. */
function bytesOf(insight: Insight): number {
  let bytes = sizes.get(insight);
  if (bytes === undefined) sizes.set(insight, (bytes = utf8Bytes(canonicalJson(insight)) + insight.id.length + 4));
  return bytes;
}

/**
 * True when a choice has moved so far that it is worth writing again: its points, cue by cue, by a tenth of their sum and
 * by two or more. Small drift is not: each change is read by somebody.
 */
export function hasMoved(before: ChoiceInsight, after: ChoiceInsight): boolean {
  const was = new Map(before.cues.map(({ phrase, points }) => [phrase, points]));
  let moved = 0;
  let sum = 0;
  for (const { phrase, points } of after.cues) {
    moved += Math.abs(points - (was.get(phrase) ?? 0));
    was.delete(phrase);
  }
  for (const points of was.values()) moved += points;
  for (const { points } of before.cues) sum += points;
  return moved >= Math.max(2, sum / 10);
}
