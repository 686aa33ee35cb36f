// What fast-json-patch does when it is left alone, each beside what a store does instead.
import { createHash } from 'node:crypto';
import { isDreamfoldError } from '@dreamfold/events';
import jsonpatch, { type Operation } from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import { emptyStore, evolveNew, written } from '../testing/given-memory.ts';
import { canonicalJson } from './document/canonical-json.ts';
import { writeMemory } from './review/commands.ts';
import type { MemoryState } from './review/state.ts';

const tools = { sha256: (text: string): string => createHash('sha256').update(text).digest('base64url') };
const NOTE = '/memories/~1a.md';
const store = written(emptyStore(), [{ op: 'add', path: NOTE, value: { kind: 'note', content: 'one' } }], tools);
const before = canonicalJson(store.document);

/** What a direct write comes to: the error's code, or the new state; a refused one leaves nothing behind. */
function write(operations: unknown): string | MemoryState {
  try {
    return evolveNew(store, writeMemory(store, { patchId: 'p', operations, reason: 'r', author: 'person:ann' }, tools));
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    expect(canonicalJson(store.document)).toBe(before);
    return error.code;
  }
}

/** The bare library on a copy. */
function alone(operations: unknown): { document: unknown; threw: boolean } {
  const document = JSON.parse(before) as object;
  try {
    return { document: jsonpatch.applyPatch(document, operations as Operation[], true).newDocument, threw: false };
  } catch {
    return { document, threw: true };
  }
}

describe('fast-json-patch alone, and a store', () => {
  it('a failing patch leaves half of its changes', () => {
    const half = [
      { op: 'replace', path: `${NOTE}/content`, value: 'half' },
      { op: 'test', path: `${NOTE}/content`, value: 'never' },
    ];
    expect(alone(half)).toMatchObject({ threw: true, document: { memories: { '/a.md': { content: 'half' } } } });
    expect(write(half)).toBe('precondition_failed');
  });

  it('a patch of 1.2 kB copies itself to megabytes', () => {
    const bomb: unknown[] = [{ op: 'replace', path: NOTE, value: { kind: 'note', content: 'x'.repeat(40) } }];
    for (let i = 0; i < 16; i += 1) bomb.push({ op: 'copy', from: NOTE, path: `${NOTE}/${i}` });
    expect(JSON.stringify(bomb).length).toBeLessThan(1250);
    expect(write(bomb)).toBe('patch_too_large');
    // Last: the library also changes the patch that it is given.
    expect(canonicalJson(alone(bomb).document).length).toBeGreaterThan(4_000_000);
    expect(write([{ op: 'copy', from: '/memories', path: `${NOTE}/all` }])).toBe('forbidden_path');
  });

  it.each(['add', 'replace'])('%s at "" replaces the root', (op) => {
    const root = [{ op, path: '', value: { memories: {} } }];
    expect(alone(root).document).toEqual({ memories: {} });
    expect(write(root)).toBe('forbidden_path');
  });

  it('remove of "" leaves null', () => {
    expect(alone([{ op: 'remove', path: '' }]).document).toBeNull();
    expect(write([{ op: 'remove', path: '' }])).toBe('forbidden_path');
  });

  it('__proto__ in a value survives', () => {
    const value = JSON.parse('{"kind":"note","content":"x","__proto__":{"admin":true}}') as object;
    const sent = [{ op: 'replace', path: NOTE, value }];
    expect(JSON.stringify(alone(sent).document)).toContain('"__proto__"');
    expect(write(sent)).toBe('forbidden_key');
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('_get is an operation', () => {
    expect(alone([{ op: '_get', path: NOTE }]).threw).toBe(false);
    expect(write([{ op: '_get', path: NOTE }])).toBe('invalid_patch');
  });

  it('what it stores is shared with the patch, and changes with it', () => {
    const value = { kind: 'note', content: 'first' };
    const sent = [{ op: 'replace', path: NOTE, value }];
    const shared = alone(sent).document;
    const state = write(sent);
    value.content = 'second';
    expect(shared).toMatchObject({ memories: { '/a.md': { content: 'second' } } });
    expect(state).toMatchObject({ document: { memories: { '/a.md': { content: 'first' } } } });
  });

  it('the base changes under whoever holds it', () => {
    const held = JSON.parse(before) as object;
    jsonpatch.applyPatch(held, [{ op: 'remove', path: NOTE }]);
    expect(held).toEqual({ memories: {} });
    const state = write([{ op: 'remove', path: NOTE }]);
    expect(state).toMatchObject({ version: 2, document: { memories: {} } });
    expect(canonicalJson(store.document)).toBe(before);
  });
});
