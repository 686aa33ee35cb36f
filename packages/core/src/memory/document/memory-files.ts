import { DreamfoldError, parseJson } from '@dreamfold/events';
import { canonicalJson } from './canonical-json.ts';
import { Playbook, type Memory, type MemoryDocument } from './document.ts';
import { checkMemoryPath } from './memory-path.ts';
import { renderLines } from '../prompt/render.ts';

/** One memory as a text file. */
export interface MemoryFile {
  /** Relative, with "/" between the names. */
  path: string;
  text: string;
}

export interface MemoryFromFiles {
  document: MemoryDocument;
  /** Playbook files whose readable lines are not what their data says. The data counts. */
  stale: string[];
}

// A note stands in its file as it is, unless it begins like a header itself.
const HAS_HEADER = /^---\r?\ndreamfold: /;
const HEADER = /^---\r?\ndreamfold: (note|playbook)\r?\n(?:path: ("[^\r\n]*")\r?\n)?(?:title: ("[^\r\n]*")\r?\n)?---\r?\n/;
const DATA = '\n```json\n';

/** Names that some file system, or what looks at files there, would not take as plain ones: hidden, reserved, with a wildcard. */
const ODD_NAME = /^\.|[<>:"|?*%]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * A document as Markdown files: notes as they are, playbooks as their readable lines with the data below. The same document
 * always gives the same bytes, and `filesToDocument` gives it back. A memory whose path is no plain file name anywhere stands
 * in `%1.md`, `%2.md`, …, with its path in the header.
 */
export function documentToFiles(document: MemoryDocument): MemoryFile[] {
  let odd = 0;
  return Object.keys(document.memories)
    .sort()
    .map((path) => {
      const memory = document.memories[path]!;
      const names = path.slice(1).split('/');
      if (!names.some((name) => ODD_NAME.test(name))) return { path: names.join('/'), text: textOf(path, memory, false) };
      odd += 1;
      return { path: `%${odd}.md`, text: textOf(path, memory, true) };
    });
}

/**
 * The document that files hold.
 * @throws DreamfoldError invalid_import, invalid_path, path_conflict (two files of one memory), invalid_json, forbidden_key
 */
export function filesToDocument(files: readonly MemoryFile[]): MemoryFromFiles {
  const memories = new Map<string, Memory>();
  const stale: string[] = [];
  for (const file of files) {
    const { path, memory } = memoryOf(file);
    if (memories.has(path)) {
      throw new DreamfoldError('path_conflict', `${file.path} is a second file of the memory ${path}`, {
        path: file.path,
        value: path,
        remedy: 'Keep one of the two.',
      });
    }
    memories.set(path, memory);
    if (memory.kind === 'playbook' && readableOf(file.text) !== readableOf(textOf(path, memory, false))) stale.push(file.path);
  }
  return { document: { memories: Object.fromEntries(memories) }, stale };
}

function textOf(path: string, memory: Memory, named: boolean): string {
  const name = named ? `path: ${JSON.stringify(path)}\n` : '';
  if (memory.kind === 'note') {
    return named || HAS_HEADER.test(memory.content) ? `---\ndreamfold: note\n${name}---\n${memory.content}` : memory.content;
  }
  const lines = renderLines({ memories: { [path]: memory } }).slice(1);
  const insights = Object.keys(memory.insights)
    .sort()
    .map((id) => `${JSON.stringify(id)}: ${canonicalJson(memory.insights[id])}`);
  const header = `---\ndreamfold: playbook\n${name}title: ${JSON.stringify(memory.title)}\n---\n`;
  return `${header}${lines.map(({ text }) => `${text}\n`).join('')}${DATA.slice(1)}${insights.length === 0 ? '{}' : `{\n${insights.join(',\n')}\n}`}\n\`\`\`\n`;
}

/** The part of a playbook's file that is for reading. */
function readableOf(text: string): string {
  const unix = text.replaceAll('\r\n', '\n');
  return unix.slice(unix.indexOf('\n---\n'), unix.lastIndexOf(DATA)).trimEnd();
}

function memoryOf({ path: file, text }: MemoryFile): { path: string; memory: Memory } {
  const header = HEADER.exec(text);
  if (header === null && HAS_HEADER.test(text)) throw invalidFile(file, 'has a header that is not one of dreamfold');
  const [whole, kind, named, title] = header ?? ['', 'note', undefined, undefined];
  if (named === undefined && file.startsWith('%')) throw invalidFile(file, 'has no path in its header');
  const path = named === undefined ? `/${file}` : parseJson(named, `${file}: path`);
  checkMemoryPath(path as string);
  if (kind === 'playbook') return { path: path as string, memory: playbookOf(file, text, title) };
  return { path: path as string, memory: { kind: 'note', content: text.slice(whole.length) } };
}

function playbookOf(file: string, text: string, title: string | undefined): Playbook {
  const unix = text.replaceAll('\r\n', '\n');
  const data = unix.lastIndexOf(DATA);
  const end = unix.lastIndexOf('\n```');
  if (title === undefined || data === -1 || end <= data) throw invalidFile(file, 'is a playbook without a title or without its data');
  const below = unix.slice(end + '\n```'.length).trim();
  if (below !== '') {
    const remedy = 'A playbook holds insights only: change them in the data, or write this as a note, in a file of its own.';
    throw invalidFile(file, `has text below its data, which no agent would be told: ${below.split('\n')[0]!.slice(0, 60)}`, remedy);
  }
  const insights = parseJson(unix.slice(data + DATA.length, end), `${file}: data`);
  const parsed = Playbook.safeParse({ kind: 'playbook', title: parseJson(title, `${file}: title`), insights });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalidFile(file, `holds an invalid playbook: ${issue.path.join('.')}: ${issue.message}`);
}

function invalidFile(file: string, why: string, remedy = 'Write it as `dreamfold memory export` does.'): DreamfoldError {
  return new DreamfoldError('invalid_import', `${file} ${why}`, { path: file, remedy });
}
