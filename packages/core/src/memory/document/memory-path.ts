import { DreamfoldError } from '@dreamfold/events';
import { utf8Bytes } from './canonical-json.ts';

const MAX_PATH_BYTES = 1024;
const MAX_SEGMENTS = 20;
/** What one name may take in common file systems: stores are mounted as folders. */
const MAX_SEGMENT_BYTES = 255;

/** Control and format characters, and the line and paragraph separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
/** `.` and `..`, also percent-encoded: somebody downstream will decode them. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

function whyInvalid(path: string): string | null {
  if (!path.startsWith('/')) return 'does not begin with "/"';
  if (!path.isWellFormed() || INVISIBLE.test(path)) return 'holds a control, format or broken character';
  if (path !== path.normalize('NFC')) return 'is not in Unicode normal form C';
  if (utf8Bytes(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (path.includes('\\')) return 'holds a backslash';
  const segments = path.slice(1).split('/');
  if (segments.length > MAX_SEGMENTS) return `has more than ${MAX_SEGMENTS} segments`;
  if (segments.includes('')) return 'has an empty segment';
  if (segments.some((segment) => DOT_SEGMENT.test(segment))) return 'has a "." or ".." segment';
  if (segments.some((segment) => utf8Bytes(segment) > MAX_SEGMENT_BYTES)) return `has a segment longer than ${MAX_SEGMENT_BYTES} bytes`;
  return null;
}

/**
 * Checks the path of one memory.
 * @throws DreamfoldError invalid_path
 */
export function checkMemoryPath(path: string): void {
  const why = whyInvalid(path);
  if (why === null) return;
  throw new DreamfoldError('invalid_path', `The memory path ${why}`, {
    path: 'path',
    value: path.slice(0, 120),
    remedy: 'Use a path such as /playbooks/routing.md: 1 to 20 named segments, no "." or "..", at most 1,024 bytes.',
  });
}

/** Upper case first: it takes apart what lower case alone keeps, such as "ß" and "ss". */
const fold = (path: string): string => path.toUpperCase().toLowerCase();

/**
 * Checks that no added path is another one's folder, and that no two differ by letter case only: a store can be
 * mounted on any file system.
 * @param paths all paths, the added ones among them; the others are known to stand apart
 * @throws DreamfoldError path_conflict; the value is both paths
 */
export function checkPathsApart(paths: readonly string[], added: readonly string[]): void {
  if (added.length === 0) return;
  const conflict = (a: string, b: string): DreamfoldError =>
    new DreamfoldError('path_conflict', `The memories ${a} and ${b} can't stand in one store`, {
      path: 'path',
      value: [a, b].sort(),
      remedy: 'Choose a path that is no folder of another memory and differs from all by more than letter case.',
    });
  const byFolded = new Map<string, string>();
  for (const path of paths) {
    const folded = fold(path);
    const other = byFolded.get(folded);
    if (other !== undefined) throw conflict(other, path);
    byFolded.set(folded, path);
  }
  for (const path of added) {
    const folded = fold(path);
    for (let slash = folded.lastIndexOf('/'); slash > 0; slash = folded.lastIndexOf('/', slash - 1)) {
      const ancestor = byFolded.get(folded.slice(0, slash));
      if (ancestor !== undefined) throw conflict(ancestor, path);
    }
    const folder = `${folded}/`;
    for (const [other, within] of byFolded) if (other.startsWith(folder)) throw conflict(path, within);
  }
}
