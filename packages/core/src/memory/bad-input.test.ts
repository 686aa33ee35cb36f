// Every kind of bad input to a memory store, with the code that answers it. A refused command makes no event.
import { createHash } from 'node:crypto';
import { DreamfoldError, isDreamfoldError, type NewEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { emptyStore, evolveNew, written } from '../testing/given-memory.ts';
import { applyPatch, approvePatch, proposePatch, rollbackPatch, validatePatch, writeMemory, type ProposePatch } from './review/commands.ts';
import { initialMemory, type MemoryState } from './review/state.ts';

const tools = { sha256: (text: string): string => createHash('sha256').update(text).digest('base64url') };
const NOTE = '/memories/~1a.md';
const BOOK = '/memories/~1p.md';
const note = (content: string): unknown => ({ kind: 'note', content });
const insight = {
  kind: 'choice',
  id: 'i1',
  tool: 'route',
  field: 'queue',
  value: 'billing',
  cues: [{ phrase: 'refund', points: 12, sessions: 5, principals: 4 }],
  support: { sessions: 5, principals: 4 },
};
let store = written(emptyStore(), [{ op: 'add', path: NOTE, value: note('one') }], tools);
store = written(store, [{ op: 'add', path: BOOK, value: { kind: 'playbook', title: 'P', insights: { i1: insight } } }], tools);

function errorOf(command: () => NewEvent[]): DreamfoldError {
  try {
    command();
  } catch (error) {
    if (isDreamfoldError(error)) return error;
    throw error;
  }
  throw new DreamfoldError('invalid_argument', 'The command was carried out', { remedy: 'Expect its events instead.' });
}

const write = (operations: unknown, state = store): (() => NewEvent[]) => {
  return () => writeMemory(state, { patchId: 'p', operations, reason: 'r', author: 'person:ann' }, tools);
};
const ok = { op: 'test', path: `${NOTE}/content`, value: 'one' };
const add = (path: string, value = note('x')): unknown[] => [{ op: 'add', path: `/memories/${path.replaceAll('/', '~1')}`, value }];

describe('the form of a patch: invalid_patch, with the index of the operation', () => {
  it('is an array', () => {
    for (const operations of [{ op: 'add' }, 'patch', null, undefined, 7, []])
      expect(errorOf(write(operations)).code).toBe('invalid_patch');
  });

  it.each<[string, unknown]>([
    ['an unknown op', { op: '_get', path: NOTE }],
    ['no op', { path: NOTE }],
    ['a missing value', { op: 'add', path: NOTE }],
    ['a missing from', { op: 'copy', path: NOTE }],
    ['a path without "/"', { op: 'add', path: 'memories', value: 1 }],
    ['a bad escape', { op: 'add', path: '/memories/~2a', value: 1 }],
    ['no object', 'remove'],
  ])('%s', (_name, operation) => {
    const error = errorOf(write([ok, operation]));
    expect(error.code).toBe('invalid_patch');
    expect(error.path).toMatch(/^\/1/);
  });
});

describe('where a patch may point', () => {
  it.each(['', '/', '/policy', '/prompt/system', '/grader', '/memories', '/../memories', '/Memories/~1a.md'])(
    '%j is forbidden_path',
    (path) => {
      for (const operation of [
        { op: 'add', path, value: 1 },
        { op: 'remove', path },
        { op: 'copy', from: path, path: NOTE },
      ]) {
        const error = errorOf(write([operation]));
        expect([error.code, error.status]).toEqual(['forbidden_path', 403]);
      }
    },
  );

  it.each([
    { op: 'add', path: `${BOOK}/insights/i1/cues/1000000000`, value: 'x' },
    { op: 'replace', path: `${BOOK}/insights/i1/cues/1e9`, value: 'x' },
    { op: 'replace', path: `${BOOK}/insights/i1/cues/00`, value: 'x' },
    { op: 'replace', path: `${BOOK}/insights/i1/cues/01`, value: 'x' },
    { op: 'replace', path: `${BOOK}/insights/i1/cues/length`, value: 'x' },
    { op: 'replace', path: `${BOOK}/insights/i1/cues/-1`, value: 'x' },
    { op: 'test', path: `${BOOK}/insights/i1/cues/-`, value: 'x' },
    { op: 'remove', path: `${BOOK}/insights/i1/cues/-` },
    { op: 'remove', path: '/memories/~1none' },
    { op: 'move', from: '/memories/~1none', path: '/memories/~1b' },
  ])('%j is invalid_pointer', (operation) => {
    expect(errorOf(write([operation])).code).toBe('invalid_pointer');
  });

  it.each(['__proto__', 'constructor', 'prototype'])('%s is forbidden_key, in a path and deep in a value', (key) => {
    const value = JSON.parse(`{"kind":"note","content":"x","more":[{"${key}":1}]}`) as unknown;
    const sent = [
      { op: 'add', path: `${BOOK}/insights/${key}`, value: 1 },
      { op: 'copy', from: `${NOTE}/${key}`, path: NOTE },
      add('/b', value)[0],
    ];
    for (const operation of sent) expect(errorOf(write([operation])).code).toBe('forbidden_key');
  });
});

describe('the size of a patch', () => {
  it('is at most 50 operations', () => {
    const operations = (n: number): unknown[] => Array.from({ length: n }, () => ok);
    expect(errorOf(write(operations(51))).code).toBe('patch_too_large');
    expect(write(operations(50))()).toHaveLength(4);
  });

  it('may not grow by copies to more than double, nor past the limit of a memory', () => {
    const copies = [0, 1].map((i) => ({ op: 'copy', from: NOTE, path: `${NOTE}/${i}` }));
    expect(
      errorOf(write([...copies, { op: 'copy', from: NOTE, path: '/memories/~1b' }, { op: 'copy', from: NOTE, path: '/memories/~1c' }]))
        .code,
    ).toBe('patch_too_large');
    expect(errorOf(write([{ op: 'replace', path: `${NOTE}/content`, value: 'x'.repeat(102_401) }])).code).toBe('patch_too_large');
    expect(errorOf(write(add('/big', note('x'.repeat(250_000))))).code).toBe('patch_too_large');
  });

  it('nothing moves into itself', () => {
    expect(errorOf(write([{ op: 'move', from: BOOK, path: `${BOOK}/insights/i2` }])).code).toBe('invalid_patch');
  });
});

describe('what a patch was made for', () => {
  it('must still be there: precondition_failed, and nothing has changed', () => {
    const sent = [...add('/b'), { op: 'test', path: `${NOTE}/content`, value: 'two' }];
    const error = errorOf(write(sent));
    expect([error.code, error.status]).toEqual(['precondition_failed', 409]);
    const old: ProposePatch = { patchId: 'p', operations: add('/b'), reason: 'r', author: 'person:ann', baseHash: initialMemory.hash };
    expect(errorOf(() => writeMemory(store, old, tools)).code).toBe('precondition_failed');
    expect(errorOf(() => proposePatch(store, old, tools)).code).toBe('precondition_failed');
    expect(Object.keys(store.document.memories)).toEqual(['/a.md', '/p.md']);
  });

  it('a dream names its evidence: evidence_required', () => {
    const dream: ProposePatch = { patchId: 'p', operations: add('/b'), reason: 'r', author: 'dream:drm_1' };
    expect(errorOf(() => proposePatch(store, dream, tools)).code).toBe('evidence_required');
    expect(errorOf(() => proposePatch(store, { ...dream, evidence: [] }, tools)).code).toBe('evidence_required');
  });
});

describe('who decides, and when', () => {
  const proposed = (author: string): MemoryState => {
    const input = { patchId: 'p', operations: add('/b'), reason: 'r', author, evidence: ['session/sesn_1#4'] };
    const state = evolveNew(store, proposePatch(store, input, tools));
    return evolveNew(state, validatePatch(state, { patchId: 'p', gates: [], by: 'system' }));
  };

  it('apply without approval is not_approved', () => {
    const error = errorOf(() => applyPatch(proposed('dream:drm_1'), { patchId: 'p', by: 'system' }, tools));
    expect([error.code, error.status]).toEqual(['not_approved', 409]);
  });

  it('approval by the proposer, or by any dream, is self_approval_forbidden; a direct write is its author’s own', () => {
    for (const [author, by] of [
      ['person:ann', 'person:ann'],
      ['dream:drm_1', 'dream:drm_1'],
      ['dream:drm_1', 'dream:drm_2'],
    ] as const) {
      const error = errorOf(() => approvePatch(proposed(author), { patchId: 'p', by }));
      expect([error.code, error.status]).toEqual(['self_approval_forbidden', 403]);
    }
    expect(write(add('/b'))().map(({ type }) => type)).toContain('memory.patch_approved');
  });

  it('rollback of what a later change stands on is rollback_conflict', () => {
    const later = written(store, [{ op: 'replace', path: `${NOTE}/content`, value: 'two' }], tools);
    const error = errorOf(() => rollbackPatch(later, { patchId: 'w1', by: 'person:ann', reason: 'r' }, tools));
    expect([error.code, error.status]).toEqual(['rollback_conflict', 409]);
  });

  it('a patch that there is not is not_found, and one that is decided already_decided', () => {
    expect(errorOf(() => approvePatch(store, { patchId: 'none', by: 'person:bob' })).code).toBe('not_found');
    expect(errorOf(() => approvePatch(store, { patchId: 'w1', by: 'person:bob' })).code).toBe('already_decided');
    expect(errorOf(() => applyPatch(store, { patchId: 'w1', by: 'person:bob' }, tools)).code).toBe('already_decided');
  });
});

describe('the path of a memory', () => {
  it.each(['../x', 'abs', '/a//b', '/%2e%2e/x', '/.', '/a\\b', '/a\nb', `/${'x'.repeat(300)}`, '/a/'])('%j is invalid_path', (path) => {
    const error = errorOf(write(add(path)));
    expect([error.code, error.status]).toEqual(['invalid_path', 400]);
  });

  it('NUL is invalid_text before it is a path', () => {
    expect(errorOf(write(add('/a\u0000'))).code).toBe('invalid_text');
  });

  it.each(['/A.md', '/a.md/b', '/P.MD'])('%s is path_conflict beside /a.md and /p.md', (path) => {
    const error = errorOf(write(add(path)));
    expect([error.code, error.status]).toEqual(['path_conflict', 409]);
  });
});
