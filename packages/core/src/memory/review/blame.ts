import type { Insight } from '@dreamfold/events';
import { canonicalJson } from '../document/canonical-json.ts';
import { keptLines } from './diff-versions.ts';
import type { Memory, MemoryDocument } from '../document/document.ts';
import { parsePointer } from '../document/json-pointer.ts';
import { touchedUnits } from '../document/patch.ts';
import { noteLines, renderLines, type RenderedLine } from '../prompt/render.ts';
import { patchOf, replayVersions, type MemoryState } from './state.ts';
import { versionsOf, type VersionEntry } from './versions.ts';

export interface BlamedLine {
  text: string;
  path: string;
  /** The version that wrote the line as it stands, with its patch, author, dream and evidence; null for lines that only part others. */
  origin: VersionEntry | null;
}

/** Versions of a part: one for a heading or an insight, one a line for the content of a note. */
type Origins = readonly number[];
/** By what the parts of a memory are called: `heading`, `content`, `insight/ID`. */
type Parts = ReadonlyMap<string, Origins>;

/**
 * Which version wrote each line of the rendered Markdown. A rollback writes nothing: what it restores has the origin that
 * it had before the patch that was taken back.
 * @param path only the lines of this memory
 */
export function blame(state: MemoryState, path?: string): BlamedLine[] {
  const origins = originsOf(state, path);
  const versions = versionsOf(state);
  return renderLines(state.document)
    .filter((line) => path === undefined || line.path === path)
    .map((line, i, lines) => {
      const isHeading = lines[i - 1]?.path !== line.path;
      const version = versionOfLine(origins.get(line.path)!, line, isHeading);
      return { text: line.text, path: line.path, origin: version === undefined ? null : versions[version - 1]! };
    });
}

function versionOfLine(parts: Parts, { insight, noteLine }: RenderedLine, isHeading: boolean): number | undefined {
  if (isHeading) return parts.get('heading')![0];
  if (noteLine !== null) return parts.get('content')![noteLine];
  return insight === null ? undefined : parts.get(`insight/${insight}`)![0];
}

function originsOf(state: MemoryState, only: string | undefined): Map<string, Parts> {
  const origins = new Map<string, Parts>();
  /** What each patch in force found, by path: a rollback puts it back. */
  const found = new Map<string, Map<string, Parts | undefined>>();
  for (const { made, before, document } of replayVersions(state, { from: 0, to: state.version })) {
    const undone = made.change === 'rolled_back' ? found.get(made.patchId)! : null;
    const earlier = new Map<string, Parts | undefined>();
    for (const path of writtenPaths(state, made.patchId)) {
      if (only !== undefined && path !== only) continue;
      earlier.set(path, origins.get(path));
      const next = partsAfter({ path, version: made.version, parts: origins.get(path), restored: undone?.get(path) }, before, document);
      if (next === null) origins.delete(path);
      else origins.set(path, next);
    }
    found.set(made.patchId, earlier);
  }
  return origins;
}

function writtenPaths(state: MemoryState, patchId: string): Set<string> {
  const units = touchedUnits(patchOf(state, patchId)!.proposal.operations);
  return new Set(units.map((unit) => parsePointer(unit, unit)[1]!));
}

interface Change {
  path: string;
  version: number;
  parts: Parts | undefined;
  /** The origins that a rollback restores. */
  restored: Parts | undefined;
}

function partsAfter({ path, version, parts, restored }: Change, before: MemoryDocument, after: MemoryDocument): Parts | null {
  const [old, now] = [partsOf(before, path), partsOf(after, path)];
  if (now === null) return null;
  const next = new Map<string, Origins>();
  for (const [name, part] of now) {
    const was = old?.get(name);
    const origins = parts?.get(name);
    const kept = was !== undefined && origins !== undefined;
    if (kept && (was === part || canonicalJson(was) === canonicalJson(part))) next.set(name, origins);
    else next.set(name, restored?.get(name) ?? (kept && name === 'content' ? originsOfLines(was, part) : linesOf(part).map(() => version)));
  }
  return next;

  function originsOfLines(was: MemoryPart, part: MemoryPart): Origins {
    return keptLines(linesOf(was), linesOf(part)).map((index) => (index === null ? version : parts!.get('content')![index]!));
  }
}

/** A title, the content of a note, or an insight. */
type MemoryPart = string | Insight;

/** What a memory is made of; null for one that is not there. */
function partsOf(document: MemoryDocument, path: string): Map<string, MemoryPart> | null {
  if (!Object.hasOwn(document.memories, path)) return null;
  const memory = document.memories[path] as Memory;
  if (memory.kind === 'note') {
    return new Map([
      ['heading', ''],
      ['content', memory.content],
    ]);
  }
  const insights = Object.entries(memory.insights).map(([id, insight]): [string, MemoryPart] => [`insight/${id}`, insight]);
  return new Map<string, MemoryPart>([['heading', memory.title], ...insights]);
}

/** Only the content of a note has several. */
function linesOf(part: MemoryPart): string[] {
  return typeof part === 'string' ? noteLines(part) : [''];
}
