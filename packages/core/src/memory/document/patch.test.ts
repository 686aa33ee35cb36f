import { createHash } from 'node:crypto';
import { isDreamfoldError, type Cue, type Insight } from '@dreamfold/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, utf8Bytes } from './canonical-json.ts';
import { EMPTY_DOCUMENT, EMPTY_DOCUMENT_HASH, MAX_MEMORY_BYTES, documentHash, type MemoryDocument } from './document.ts';
import { applyOperations, runOperations, touchedUnits, unitsOverlap, type PatchResult } from './patch.ts';

const cue = (phrase: string): Cue => ({ phrase, points: 20, sessions: 5, principals: 4 });
const refund: Insight = {
  kind: 'choice',
  id: 'insight_refund',
  tool: 'route',
  field: 'queue',
  value: 'billing',
  cues: ['refund', 'money back', 'charged'].map(cue),
  support: { sessions: 5, principals: 4 },
};
const base: MemoryDocument = {
  memories: {
    '/notes/tone.md': { kind: 'note', content: 'Be brief.' },
    '/routing.md': { kind: 'playbook', title: 'Routing', insights: { insight_refund: refund } },
  },
};
const NOTE = '/memories/~1notes~1tone.md';
const CUES = '/memories/~1routing.md/insights/insight_refund/cues';
const note = (content: string): unknown => ({ kind: 'note', content });

/** Applies and gives the error's code, having checked that nothing of the base changed. */
function codeOf(operations: unknown, document = base): string {
  const before = canonicalJson(document);
  try {
    applyOperations(document, operations);
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    expect(canonicalJson(document)).toBe(before);
    expect(error.remedy).not.toBe('');
    return error.code;
  }
  return 'applied';
}

describe('a patch that is refused', () => {
  const add = (path: string, value: unknown = note('x')): unknown[] => [{ op: 'add', path, value }];
  const deep = (): unknown => {
    let value: unknown = 'x';
    for (let i = 0; i < 100; i += 1) value = { a: value };
    return value;
  };
  const cases: [string, unknown, string][] = [
    ['not an array', { op: 'add' }, 'invalid_patch'],
    ['an empty array', [], 'invalid_patch'],
    ['null for an operation', [null], 'invalid_patch'],
    ['an operation of fast-json-patch only', [{ op: '_get', path: NOTE }], 'invalid_patch'],
    ['an inherited name for an op', [{ op: 'toString', path: NOTE }], 'invalid_patch'],
    ['no value', [{ op: 'add', path: NOTE }], 'invalid_patch'],
    ['an undefined value', [{ op: 'add', path: NOTE, value: undefined }], 'invalid_patch'],
    ['no from', [{ op: 'move', path: NOTE }], 'invalid_patch'],
    ['a path that is no string', [{ op: 'remove', path: 7 }], 'invalid_patch'],
    ['a path without "/"', add('memories/~1a'), 'invalid_patch'],
    ['a bad escape', add('/memories/~2a'), 'invalid_patch'],
    ['a bad escape at the end', add('/memories/~'), 'invalid_patch'],
    ['an unknown member', [{ op: 'remove', path: NOTE, force: true }], 'invalid_patch'],
    ['a value that is not JSON', add(NOTE, { kind: 'note', content: 1n }), 'invalid_patch'],
    ['the root', [{ op: 'replace', path: '', value: { memories: {} } }], 'forbidden_path'],
    ['the root as from', [{ op: 'copy', from: '', path: '/memories/~1a' }], 'forbidden_path'],
    ['all memories', [{ op: 'remove', path: '/memories' }], 'forbidden_path'],
    ['something beside the memories', add('/policy', 'auto'), 'forbidden_path'],
    ['a test outside', [{ op: 'test', path: '/policy', value: 1 }], 'forbidden_path'],
    ['__proto__ in the path', add('/memories/__proto__/polluted'), 'forbidden_key'],
    ['constructor in the path', add(`${NOTE}/constructor`), 'forbidden_key'],
    ['__proto__ in a value', add(NOTE, JSON.parse('{"kind":"note","content":"x","__proto__":{"a":1}}')), 'forbidden_key'],
    ['prototype deep in a value', add(NOTE, { kind: 'note', content: { prototype: 1 } }), 'forbidden_key'],
    ['a lone surrogate', add(NOTE, note('\ud800')), 'invalid_text'],
    ['a deep value', add(NOTE, deep()), 'json_too_deep'],
    ['an index with a leading zero', [{ op: 'replace', path: `${CUES}/01`, value: 'x' }], 'invalid_pointer'],
    ['an index in another notation', [{ op: 'replace', path: `${CUES}/1e9`, value: 'x' }], 'invalid_pointer'],
    ['a huge index', add(`${CUES}/1000000000`, 'x'), 'invalid_pointer'],
    ['an index one past the end', [{ op: 'remove', path: `${CUES}/3` }], 'invalid_pointer'],
    ['the length of an array', [{ op: 'replace', path: `${CUES}/length`, value: 0 }], 'invalid_pointer'],
    ['"-" on test', [{ op: 'test', path: `${CUES}/-`, value: 'x' }], 'invalid_pointer'],
    ['"-" on remove', [{ op: 'remove', path: `${CUES}/-` }], 'invalid_pointer'],
    ['an inherited member', [{ op: 'remove', path: `${NOTE}/toString` }], 'invalid_pointer'],
    ['a path through nothing', add('/memories/~1none.md/content', 'x'), 'invalid_pointer'],
    ['a path through a string', add(`${NOTE}/content/0`, 'x'), 'invalid_pointer'],
    ['a move into its own child', [{ op: 'move', from: '/memories/~1routing.md', path: '/memories/~1routing.md/title' }], 'invalid_patch'],
    ['51 operations', Array.from({ length: 51 }, () => ({ op: 'test', path: `${NOTE}/kind`, value: 'note' })), 'patch_too_large'],
    ['a note over the limit', add(NOTE, note('x'.repeat(MAX_MEMORY_BYTES + 1))), 'patch_too_large'],
    ['a failing test', [{ op: 'test', path: `${NOTE}/content`, value: 'Be long.' }], 'precondition_failed'],
    ['a test of what is not there', [{ op: 'test', path: '/memories/~1none', value: null }], 'precondition_failed'],
    ['a failing last operation', [...add(NOTE), { op: 'remove', path: '/memories/~1none.md' }], 'invalid_pointer'],
    ['a note without content', [{ op: 'remove', path: `${NOTE}/content` }], 'invalid_patch'],
    ['a kind that no memory has', add(NOTE, { kind: 'prompt', content: 'x' }), 'invalid_patch'],
    [
      'an insight under another id',
      [{ op: 'move', from: CUES.replace('/cues', ''), path: CUES.replace('refund/cues', 'x') }],
      'invalid_patch',
    ],
    ['a field that no insight has', add(CUES.replace('cues', 'note'), 'free text'), 'invalid_patch'],
    ['an invalid memory path', add('/memories/~1a~1..~1b'), 'invalid_path'],
    ['a memory within a memory', add('/memories/~1routing.md~1more.md'), 'path_conflict'],
    ['two paths that differ by case', add('/memories/~1Routing.md'), 'path_conflict'],
  ];
  it.each(cases)('%s', (_name, operations, code) => {
    expect(codeOf(operations)).toBe(code);
  });

  it('881 bytes of copy that would grow to 63 MB', () => {
    const bomb: unknown[] = [{ op: 'add', path: NOTE, value: { kind: 'note', content: 'x', a: {} } }];
    for (let i = 0; i < 18; i += 1) bomb.push({ op: 'copy', from: `${NOTE}/a`, path: `${NOTE}/a/${i}` });
    expect(codeOf(bomb)).toBe('patch_too_large');
  });

  it('a patch whose inverse would not fit an event', () => {
    const big = 'x'.repeat(90_000);
    const memories = Object.fromEntries(['/a', '/b', '/c'].map((path) => [path, { kind: 'note' as const, content: big }]));
    const removeAll = ['/a', '/b', '/c'].map((path) => ({ op: 'remove', path: `/memories/~1${path.slice(1)}` }));
    expect(codeOf(removeAll, { memories })).toBe('patch_too_large');
    expect(codeOf(removeAll.slice(0, 2), { memories })).toBe('applied');
  });
});

describe('a patch that is applied', () => {
  it('does every operation of RFC 6902', () => {
    const { document } = applyOperations(base, [
      { op: 'test', path: `${NOTE}/content`, value: 'Be brief.' },
      { op: 'copy', from: NOTE, path: '/memories/~1copy.md' },
      { op: 'replace', path: `${NOTE}/content`, value: 'Be kind.' },
      { op: 'add', path: `${CUES}/-`, value: cue('reimburse') },
      { op: 'remove', path: `${CUES}/0` },
      { op: 'move', from: `${CUES}/2`, path: `${CUES}/0` },
    ]);
    expect(document.memories['/copy.md']).toEqual({ kind: 'note', content: 'Be brief.' });
    expect(document.memories['/notes/tone.md']).toEqual({ kind: 'note', content: 'Be kind.' });
    expect(document.memories['/routing.md']).toMatchObject({
      insights: { insight_refund: { cues: ['reimburse', 'money back', 'charged'].map(cue) } },
    });
  });

  it('shares nothing with the patch that it came from', () => {
    const value = { kind: 'note', content: 'first' };
    const { document } = applyOperations(EMPTY_DOCUMENT, [{ op: 'add', path: '/memories/~1a', value }]);
    value.content = 'second';
    expect(document.memories['/a']).toEqual({ kind: 'note', content: 'first' });
  });

  it.each(['move', 'copy'])('changes what it has put elsewhere with %s, and nothing of the base', (op) => {
    const before = canonicalJson(base);
    const from = '/memories/~1routing.md';
    const at = `${from}2/insights/insight_refund/cues/0`;
    const { document, inverse } = applyOperations(base, [
      { op, from, path: `${from}2` },
      { op: 'replace', path: at, value: cue('reimburse') },
    ]);
    expect(document.memories['/routing.md2']).toMatchObject({
      insights: { insight_refund: { cues: ['reimburse', 'money back', 'charged'].map(cue) } },
    });
    expect(canonicalJson(base)).toBe(before);
    expect(canonicalJson(runOperations(document, inverse).document)).toBe(before);
  });

  it('has an inverse that touches only what it changed', () => {
    const { inverse } = applyOperations(base, [{ op: 'add', path: `${CUES}/-`, value: cue('reimburse') }]);
    expect(inverse).toEqual([{ op: 'replace', path: CUES.replace('/cues', ''), value: refund }]);
  });
});

describe('units', () => {
  it('are insights and fields; arrays are taken whole', () => {
    const units = touchedUnits([
      { op: 'add', path: `${CUES}/0`, value: 'x' },
      { op: 'remove', path: `${CUES}/1` },
      { op: 'test', path: `${NOTE}/content`, value: 'x' },
    ]);
    expect(units).toEqual([`${NOTE}/content`, CUES.replace('/cues', '')]);
  });

  it('overlap when one contains the other, not when names begin alike', () => {
    expect(unitsOverlap(['/memories/~1a'], ['/memories/~1a/content'])).toBe(true);
    expect(unitsOverlap(['/memories/~1a/content'], ['/memories/~1a'])).toBe(true);
    expect(unitsOverlap(['/memories/~1a'], ['/memories/~1ab'])).toBe(false);
  });
});

it('knows the hash of the empty document', () => {
  expect(EMPTY_DOCUMENT_HASH).toBe(documentHash(EMPTY_DOCUMENT, (text) => createHash('sha256').update(text).digest('base64url')));
});

it('counts the bytes of UTF-8', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => utf8Bytes(text) === Buffer.byteLength(text)));
});

describe('10,000 random patches', () => {
  const insight = (id: string): Insight => ({ ...refund, id });
  const rich: MemoryDocument = {
    memories: {
      '/a.md': { kind: 'note', content: 'a' },
      '/b/c.md': { kind: 'note', content: 'c' },
      '/p.md': { kind: 'playbook', title: 'P', insights: { i1: insight('i1'), i2: insight('i2') } },
      '/q.md': { kind: 'playbook', title: 'Q', insights: {} },
    },
  };
  const notePath = fc
    .constantFrom('/a.md', '/a.md', '/b/c.md', '/b/c.md', '/new.md', '/new.md', '/B/C.md', '/b')
    .map((path) => `/memories/${path.replaceAll('/', '~1')}`);
  const bookPath = fc.constantFrom('/memories/~1p.md', '/memories/~1q.md');
  const insightPath = fc.tuple(bookPath, fc.constantFrom('i1', 'i2')).map(([book, id]) => ({ path: `${book}/insights/${id}`, id }));
  const anyPath = fc.oneof(
    notePath,
    bookPath,
    insightPath.map(({ path }) => path),
    insightPath.map(({ path }) => `${path}/cues/0`),
  );
  const op = fc.constantFrom('add', 'replace');
  const fitting = fc.oneof(
    fc.tuple(op, notePath, fc.string({ maxLength: 6 })).map(([op, path, content]) => ({ op, path, value: { kind: 'note', content } })),
    fc.tuple(op, notePath, fc.string({ maxLength: 6 })).map(([op, path, value]) => ({ op, path: `${path}/content`, value })),
    fc.tuple(op, insightPath).map(([op, { path, id }]) => ({ op, path, value: insight(id) })),
    fc
      .tuple(op, insightPath, fc.constantFrom('0', '1', '-'))
      .map(([op, { path }, at]) => ({ op, path: `${path}/cues/${at}`, value: cue('cue') })),
    fc
      .tuple(bookPath, bookPath, fc.constantFrom('i1', 'i2'))
      .map(([a, b, id]) => ({ op: 'move', from: `${a}/insights/${id}`, path: `${b}/insights/${id}` })),
    fc.record({ op: fc.constantFrom('move', 'copy'), from: notePath, path: notePath }),
    fc.record({ op: fc.constant('remove'), path: anyPath }),
  );
  const wild = fc
    .record({
      op: fc.constantFrom('add', 'replace', 'move', 'copy', 'test'),
      from: anyPath,
      path: anyPath,
      value: fc.constantFrom<unknown>('x', null, { kind: 'note' }),
    })
    .map(({ op, from, path, value }) => (op === 'move' || op === 'copy' ? { op, from, path } : { op, path, value }));
  const failing = { op: 'test', path: '/memories/~1a.md', value: 'never' };
  const patch = fc
    .tuple(
      fc.array(fc.oneof({ weight: 9, arbitrary: fitting }, { weight: 1, arbitrary: wild }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 0, max: 3 }),
    )
    .map(([operations, dice]) => (dice === 0 ? [...operations, failing] : operations));

  it('are all or nothing, and every inverse restores the base byte for byte', () => {
    let applied = 0;
    fc.assert(
      fc.property(patch, (operations) => {
        const before = canonicalJson(rich);
        const sent = canonicalJson(operations);
        let result: PatchResult | undefined;
        try {
          result = applyOperations(rich, operations);
        } catch (error) {
          if (!isDreamfoldError(error)) throw error;
        }
        if (result !== undefined) {
          applied += 1;
          expect(operations.at(-1)).not.toBe(failing);
          const undone = runOperations(result.document, result.inverse);
          expect(canonicalJson(undone.document)).toBe(before);
          expect(canonicalJson(runOperations(undone.document, undone.inverse).document)).toBe(canonicalJson(result.document));
        }
        expect(canonicalJson(rich)).toBe(before);
        expect(canonicalJson(operations)).toBe(sent);
      }),
      { numRuns: 10_000 },
    );
    expect(applied).toBeGreaterThan(1000);
  });
});
