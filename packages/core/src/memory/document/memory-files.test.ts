import { createHash } from 'node:crypto';
import { isDreamfoldError, type Insight } from '@dreamfold/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyStore, written } from '../../testing/given-memory.ts';
import { canonicalJson } from './canonical-json.ts';
import { documentHash, type Memory, type MemoryDocument } from './document.ts';
import { documentToFiles, filesToDocument } from './memory-files.ts';
import { applyOperations } from './patch.ts';
import { patchTowards, patchesTowards } from './patch-towards.ts';

const tools = { sha256: (text: string): string => createHash('sha256').update(text).digest('base64url') };
const hashOf = (document: MemoryDocument): string => documentHash(document, tools.sha256);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isDreamfoldError(error)) return error.code;
    throw error;
  }
  return 'ok';
}

const insight = (id: string, value: string, cue: string): Insight => ({
  kind: 'choice',
  id,
  tool: 'route',
  field: 'queue',
  value,
  cues: [{ phrase: cue, points: 12, sessions: 5, principals: 4 }],
  support: { sessions: 5, principals: 4 },
});

const document: MemoryDocument = {
  memories: {
    '/notes/tone.md': { kind: 'note', content: 'Be brief.' },
    '/routing.md': { kind: 'playbook', title: 'Routing', insights: { i1: insight('i1', 'billing', 'refund') } },
  },
};
const BOOK = [
  '---',
  'dreamfold: playbook',
  'title: "Routing"',
  '---',
  'For the tool route:',
  '- queue = "billing" when the request says "refund" (+12) (seen in 5 sessions of 4 principals)',
  '',
  '```json',
  '{',
  '"i1": {"cues":[{"phrase":"refund","points":12,"principals":4,"sessions":5}],"field":"queue","id":"i1","kind":"choice","support":{"principals":4,"sessions":5},"tool":"route","value":"billing"}',
  '}',
  '```',
  '',
].join('\n');

const marks = [
  '---\ndreamfold: note\n---\n',
  '---\r\ndreamfold: playbook\r\n',
  '\n```json\n',
  '```',
  '\r\n',
  '\ufeff',
  '\u2028',
  '<b>',
  'a',
];
const content = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.array(fc.constantFrom(...marks), { maxLength: 5 }).map((parts) => parts.join('')),
);
const segment = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.constantFrom(
    '.git',
    '%1.md',
    '%41',
    '100%.md',
    'NUL',
    'com1.txt',
    'a.',
    'b ',
    ' c',
    'a:b',
    'x?',
    '__proto__',
    'constructor',
    '~1',
    '~',
  ),
  fc.constantFrom('é', 'ß', '日本', 'x'.repeat(255), '…'.repeat(80)),
);
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
const insightId = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
const playbook = fc
  .record({
    title: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    ids: fc.uniqueArray(insightId, { maxLength: 30 }),
    value: content,
  })
  .map(({ title, ids, value }): Memory => {
    const cue = value.slice(0, 30).toWellFormed() || 'x';
    return { kind: 'playbook', title, insights: Object.fromEntries(ids.map((id) => [id, insight(id, value, cue)])) };
  });
const memory: fc.Arbitrary<Memory> = fc.oneof(
  content.map((text): Memory => ({ kind: 'note', content: text })),
  playbook,
);
/** A document that a store can hold: memories that are refused are left out. */
const documents = fc.array(fc.tuple(path, memory), { maxLength: 12 }).map((entries) =>
  entries.reduce<MemoryDocument>(
    (made, [at, value]) => {
      const operations = [{ op: 'add', path: `/memories/${at.replaceAll('~', '~0').replaceAll('/', '~1')}`, value }];
      try {
        return applyOperations(made, operations).document;
      } catch (error) {
        if (isDreamfoldError(error)) return made;
        throw error;
      }
    },
    { memories: {} },
  ),
);

describe('as files', () => {
  it('notes are as they are, and playbooks read as Markdown with their data below', () => {
    expect(documentToFiles(document)).toEqual([
      { path: 'notes/tone.md', text: 'Be brief.' },
      { path: 'routing.md', text: BOOK },
    ]);
  });

  it('a name that is hidden, reserved or no file name somewhere stands in the header', () => {
    const files = documentToFiles({
      memories: { '/.git/config': { kind: 'note', content: '[core]' }, '/a/nul.txt': { kind: 'note', content: 'x' } },
    });
    expect(files).toEqual([
      { path: '%1.md', text: '---\ndreamfold: note\npath: "/.git/config"\n---\n[core]' },
      { path: '%2.md', text: '---\ndreamfold: note\npath: "/a/nul.txt"\n---\nx' },
    ]);
  });

  it('every document comes back, with hostile names and contents, from the same bytes each time', () => {
    let odd = 0;
    fc.assert(
      fc.property(documents, (made) => {
        const files = documentToFiles(made);
        odd += files.filter(({ path }) => path.startsWith('%')).length;
        for (const file of files) {
          expect(file.path).not.toMatch(/(?:^|\/)\.|\\|\/\/|[<>:"|?*]|[. ](?:\/|$)/);
          expect(Buffer.from(file.text, 'utf8').toString('utf8')).toBe(file.text);
        }
        const back = filesToDocument(files);
        expect(hashOf(back.document)).toBe(hashOf(made));
        expect(canonicalJson(back.document)).toBe(canonicalJson(made));
        expect(back.stale).toEqual([]);
        expect(documentToFiles(back.document)).toEqual(files);
      }),
      { numRuns: 400 },
    );
    expect(odd).toBeGreaterThan(40);
  });

  it('refuses a line below the data, which nobody would be told', () => {
    expect(() => filesToDocument([{ path: 'routing.md', text: `${BOOK}- Always be kind.\n` }])).toThrow(/below its data.*Always be kind/);
    expect(filesToDocument([{ path: 'routing.md', text: `${BOOK}\n \n` }]).stale).toEqual([]);
  });

  it('an edit of the data counts, and an edit of the readable lines alone is pointed out', () => {
    const data = filesToDocument([{ path: 'routing.md', text: BOOK.replace('"value":"billing"', '"value":"accounts"') }]);
    expect(data.document.memories['/routing.md']).toMatchObject({ insights: { i1: { value: 'accounts' } } });
    expect(data.stale).toEqual(['routing.md']);
    const lines = filesToDocument([{ path: 'routing.md', text: BOOK.replace('queue = "billing"', 'queue = "accounts"') }]);
    expect(lines.document.memories['/routing.md']).toEqual(document.memories['/routing.md']);
    expect(lines.stale).toEqual(['routing.md']);
    expect(filesToDocument([{ path: 'routing.md', text: BOOK.replaceAll('\n', '\r\n') }])).toEqual({
      document: { memories: { '/routing.md': document.memories['/routing.md'] } },
      stale: [],
    });
  });
});

describe('files that are refused', () => {
  const refused: [string, string, string, string][] = [
    ['a header that is not ours', 'a.md', '---\ndreamfold: prompt\n---\n', 'invalid_import'],
    ['a file of ours without its path', '%1.md', 'text', 'invalid_import'],
    ['a playbook without a title', 'a.md', BOOK.replace('title: "Routing"\n', ''), 'invalid_import'],
    ['a playbook without its data', 'a.md', BOOK.slice(0, BOOK.indexOf('```json')), 'invalid_import'],
    ['data that is not JSON', 'a.md', BOOK.replace('"i1": {', '"i1": '), 'invalid_json'],
    ['data that is no insight', 'a.md', BOOK.replace('"kind":"choice"', '"kind":"prompt"'), 'invalid_import'],
    ['__proto__ in the data', 'a.md', BOOK.replace('"i1": {', '"__proto__": {'), 'forbidden_key'],
    ['a path that leads out', 'a.md', '---\ndreamfold: note\npath: "/../x"\n---\n', 'invalid_path'],
    ['a broken path', 'a.md', '---\ndreamfold: note\npath: "/a\\q"\n---\n', 'invalid_json'],
    ['a name with a backslash', 'a\\b.md', 'text', 'invalid_path'],
  ];
  it.each(refused)('%s', (...[, path, text, code]) => {
    expect(codeOf(() => filesToDocument([{ path, text }]))).toBe(code);
  });

  it('two files of one memory', () => {
    const named = { path: '%1.md', text: '---\ndreamfold: note\npath: "/a.md"\n---\nx' };
    expect(codeOf(() => filesToDocument([{ path: 'a.md', text: 'y' }, named]))).toBe('path_conflict');
  });
});

describe('the patch towards another document', () => {
  it('makes them equal, in one patch or in several that each fit', () => {
    fc.assert(
      fc.property(documents, documents, (from, to) => {
        const operations = patchTowards(from, to);
        expect(operations.length === 0).toBe(canonicalJson(from) === canonicalJson(to));
        const patches = patchesTowards(from, to);
        const there = patches.reduce((made, patch) => applyOperations(made, patch).document, from);
        expect(hashOf(there)).toBe(hashOf(to));
      }),
      { numRuns: 400 },
    );
  });

  it('splits what is too large for one patch', () => {
    const note = (fill: string): Memory => ({ kind: 'note', content: fill.repeat(102_400 / fill.length) });
    const many = (fill: string): MemoryDocument => ({
      memories: Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`/n${i}`, note(fill)])),
    });
    // Escaped, each of these takes 200 kB: the old and the new one do not fit into one event.
    const states = [{ memories: {} }, many('a'), many('"'), many('\\'), { memories: { '/N1': note('b') } }, { memories: {} }];
    let store = emptyStore();
    for (const target of states) {
      for (const patch of patchesTowards(store.document, target)) store = written(store, patch, tools);
      expect(hashOf(store.document)).toBe(hashOf(target));
    }
    const small = (n: number): MemoryDocument => ({
      memories: Object.fromEntries(Array.from({ length: n }, (_, i) => [`/n${i}`, { kind: 'note', content: 'x' }])),
    });
    expect(patchesTowards(small(0), small(400)).map((patch) => patch.length)).toEqual(Array.from({ length: 8 }, () => 50));
  });

  it('writes a playbook anew when much of it changes, so that it never passes its limit between two patches', () => {
    const book = (sizes: readonly number[]): MemoryDocument => {
      const insights = sizes.map((size, i) => ({
        ...insight(`i${i}`, 'v', 'cue'),
        cues: Array.from({ length: size }, (_, at) => ({ phrase: `c${at}`, points: 1, sessions: 1, principals: 1 })),
      }));
      return { memories: { '/p.md': { kind: 'playbook', title: 'P', insights: Object.fromEntries(insights.map((x) => [x.id, x])) } } };
    };
    const sizes = Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? 22 : 2));
    const [from, to] = [book(sizes), book(sizes.toReversed())];
    const there = patchesTowards(from, to).reduce((made, patch) => applyOperations(made, patch).document, from);
    expect(hashOf(there)).toBe(hashOf(to));
  });
});
