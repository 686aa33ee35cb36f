import { createHash } from 'node:crypto';
import { isDreamfoldError, type Insight } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { emptyStore, evolveNew, written } from '../../testing/given-memory.ts';
import { blame } from './blame.ts';
import { applyPatch, approvePatch, proposePatch, rollbackPatch, validatePatch } from './commands.ts';
import { diffVersions } from './diff-versions.ts';
import { documentHash } from '../document/document.ts';
import { applyOperations } from '../document/patch.ts';
import { renderMemory } from '../prompt/render.ts';
import { documentAt, versionAt, type MemoryState } from './state.ts';
import { documentAtPoint, versionsOf } from './versions.ts';

const tools = { sha256: (text: string): string => createHash('sha256').update(text).digest('base64url') };
const TONE = '/memories/~1tone.md';
const BOOK = '/memories/~1routing.md';
const insight = (id: string, value: string): Insight => ({
  kind: 'choice',
  id,
  tool: 'route',
  field: 'queue',
  value,
  cues: [{ phrase: 'refund', points: 12, sessions: 5, principals: 4 }],
  support: { sessions: 5, principals: 4 },
});
const rollBack = (state: MemoryState, patchId: string): MemoryState =>
  evolveNew(state, rollbackPatch(state, { patchId, by: 'person:bob', reason: 'it was wrong' }, tools), (state.version + 1) * 1000);

/** A dream's patch, approved by bob. */
function dreamt(state: MemoryState, patchId: string, operations: unknown): MemoryState {
  const input = { patchId, operations, reason: 'the desk said so', author: 'dream:drm_1', evidence: ['session/sesn_1#4'] };
  let s = evolveNew(state, proposePatch(state, input, tools));
  s = evolveNew(s, validatePatch(s, { patchId, gates: [], by: 'system' }));
  s = evolveNew(s, approvePatch(s, { patchId, by: 'person:bob', note: 'yes' }));
  return evolveNew(s, applyPatch(s, { patchId, by: 'system' }, tools), (s.version + 1) * 1000);
}

let store = emptyStore();
store = written(store, [{ op: 'add', path: TONE, value: { kind: 'note', content: 'Be brief.\nBe kind.\nBe exact.' } }], tools);
store = written(store, [{ op: 'add', path: BOOK, value: { kind: 'playbook', title: 'Routing', insights: {} } }], tools);
store = dreamt(store, 'p3', [{ op: 'add', path: `${BOOK}/insights/i1`, value: insight('i1', 'billing') }]);
store = written(store, [{ op: 'replace', path: `${TONE}/content`, value: 'Be brief.\nBe warm.\nBe exact.' }], tools);
store = dreamt(store, 'p5', [{ op: 'replace', path: `${BOOK}/insights/i1`, value: insight('i1', 'accounts') }]);
store = rollBack(store, 'p5');

describe('the history', () => {
  it('tells version, time, patch, author, dream, approver, reason and status', () => {
    const versions = versionsOf(store);
    expect(versions.map(({ version, time, patchId, change, status }) => [version, time, patchId, change, status])).toEqual([
      [1, 1000, 'w1', 'applied', 'applied'],
      [2, 2000, 'w2', 'applied', 'applied'],
      [3, 3000, 'p3', 'applied', 'applied'],
      [4, 4000, 'w4', 'applied', 'applied'],
      [5, 5000, 'p5', 'applied', 'rolled_back'],
      [6, 6000, 'p5', 'rolled_back', 'rolled_back'],
    ]);
    expect(versions[0]).toMatchObject({
      author: 'person:ann',
      approver: 'person:ann',
      by: 'person:ann',
      dreamId: null,
      reason: 'reason 1',
    });
    const dream = { author: 'dream:drm_1', dreamId: 'drm_1', approver: 'person:bob', note: 'yes', evidence: ['session/sesn_1#4'] };
    expect(versions[2]).toMatchObject({ ...dream, by: 'system', reason: 'the desk said so' });
    expect(versions[5]).toMatchObject({ ...dream, by: 'person:bob', reason: 'it was wrong' });
  });

  it('gives the document at a version or a time, and its hash is the one on the log', () => {
    for (const { version, time, hash } of store.history) {
      const at = documentAtPoint(store, { version });
      expect(documentHash(at.document, tools.sha256)).toBe(hash);
      expect(documentAtPoint(store, { timeMs: time + 999 })).toEqual(at);
    }
    expect(documentAtPoint(store, { timeMs: 0 })).toEqual({ version: 0, document: { memories: {} } });
    expect(versionAt(store, Number.POSITIVE_INFINITY)).toBe(6);
    for (const version of [-1, 7, 1.5, Number.NaN]) {
      expect(() => documentAtPoint(store, { version })).toThrow(expect.objectContaining({ code: 'not_found' }));
    }
  });
});

describe('the difference of two versions', () => {
  it('is operations and a unified diff', () => {
    const { operations, text } = diffVersions(store, 3, 4);
    expect(operations).toEqual([{ op: 'replace', path: `${TONE}/content`, value: 'Be brief.\nBe warm.\nBe exact.' }]);
    expect(text).toBe(
      ['--- a/tone.md', '+++ b/tone.md', '@@ -1,4 +1,4 @@', ' ## /tone.md', ' Be brief.', '-Be kind.', '+Be warm.', ' Be exact.', ''].join(
        '\n',
      ),
    );
  });

  it('leads from any version to any other', () => {
    for (let from = 0; from <= store.version; from += 1) {
      for (let to = 0; to <= store.version; to += 1) {
        const { operations, text } = diffVersions(store, from, to);
        const [before, after] = [documentAt(store, from)!, documentAt(store, to)!];
        const there = operations.length === 0 ? before : applyOperations(before, operations).document;
        expect(documentHash(there, tools.sha256)).toBe(documentHash(after, tools.sha256));
        expect(text === '').toBe(renderMemory(before) === renderMemory(after));
      }
    }
  });

  it('shows memories that come and go, and texts that have nothing in common', () => {
    const { text } = diffVersions(store, 0, 1);
    expect(text).toContain('--- /dev/null\n+++ b/tone.md\n@@ -0,0 +1,4 @@');
    const lines = (word: string): string => Array.from({ length: 700 }, (_, i) => `${word} ${i}`).join('\n');
    let long = written(emptyStore(), [{ op: 'add', path: TONE, value: { kind: 'note', content: lines('one') } }], tools);
    long = written(long, [{ op: 'replace', path: `${TONE}/content`, value: lines('two') }], tools);
    const changed = diffVersions(long, 1, 2).text.split('\n');
    expect(changed.slice(0, 3)).toEqual(['--- a/tone.md', '+++ b/tone.md', '@@ -1,701 +1,701 @@']);
    expect(changed.filter((line) => line === '-one 699' || line === '+two 0')).toHaveLength(2);
    expect(blame(long).filter(({ origin }) => origin?.version === 2)).toHaveLength(700);
  });

  it('needs versions that there are', () => {
    let code = '';
    try {
      diffVersions(store, 0, 7);
    } catch (error) {
      code = isDreamfoldError(error) ? error.code : String(error);
    }
    expect(code).toBe('not_found');
  });
});

describe('the blame', () => {
  const table = (state: MemoryState, path?: string): [string, number | null][] =>
    blame(state, path).map(({ text, origin }) => [text, origin?.version ?? null]);

  it('names the version that wrote each line, and restores it with a rollback', () => {
    expect(table(store)).toEqual([
      ['## /routing.md: Routing', 2],
      ['For the tool route:', null],
      ['- queue = "billing" when the request says "refund" (+12) (seen in 5 sessions of 4 principals)', 3],
      ['', null],
      ['## /tone.md', 1],
      ['Be brief.', 1],
      ['Be warm.', 4],
      ['Be exact.', 1],
      ['', null],
    ]);
    const [line] = blame(store, '/routing.md').filter(({ text }) => text.includes('billing'));
    expect(line!.origin).toMatchObject({ patchId: 'p3', author: 'dream:drm_1', dreamId: 'drm_1', evidence: ['session/sesn_1#4'] });
    expect(
      blame(store)
        .map(({ text }) => text)
        .join('\n'),
    ).toBe(renderMemory(store.document));
  });

  it('is of one memory when a path is named', () => {
    expect(table(store, '/tone.md')).toHaveLength(5);
    expect(table(store, '/none.md')).toEqual([]);
  });

  it('goes back line by line when an edit of a note is rolled back', () => {
    const back = rollBack(store, 'w4');
    expect(table(back, '/tone.md').map(([, version]) => version)).toEqual([1, 1, 1, 1, null]);
    const again = rollBack(written(back, [{ op: 'remove', path: TONE }], tools), 'w8');
    expect(table(again, '/tone.md')).toEqual(table(back, '/tone.md'));
  });

  it('counts a title that was changed, and a memory of another kind', () => {
    const titled = written(store, [{ op: 'replace', path: `${BOOK}/title`, value: 'Queues' }], tools);
    expect(table(titled)[0]).toEqual(['## /routing.md: Queues', 7]);
    const other = written(titled, [{ op: 'replace', path: BOOK, value: { kind: 'note', content: 'See the desk.' } }], tools);
    expect(table(other, '/routing.md')).toEqual([
      ['## /routing.md', 8],
      ['See the desk.', 8],
      ['', null],
    ]);
  });
});
