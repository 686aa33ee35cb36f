import { createHash } from 'node:crypto';
import { checkPayload, isDreamfoldError, type NewEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../document/canonical-json.ts';
import {
  AUTO_APPROVER,
  applyPatch,
  approvePatch,
  createStore,
  editPatch,
  proposePatch,
  rejectPatch,
  rollbackPatch,
  validatePatch,
  writeMemory,
} from './commands.ts';
import { documentHash } from '../document/document.ts';
import { documentAt, evolveMemory, initialMemory, patchOf, type MemoryState } from './state.ts';

const tools = { sha256: (text: string): string => createHash('sha256').update(text).digest('base64url') };
const pass = [{ gate: 'evidence', pass: true, reason: 'three sessions' }];

/** Checks and folds events as the log would give them back. */
function fold(state: MemoryState, events: readonly NewEvent[]): MemoryState {
  return events.reduce((s, { type, data, actor }) => {
    checkPayload(type, 1, data);
    const read = JSON.parse(JSON.stringify(data)) as unknown;
    const envelope = {
      position: 1,
      stream: 'memory/memstore_1',
      seq: 1,
      id: 'e',
      time: 0,
      v: 1,
      causation: null,
      correlation: null,
      hash: '',
    };
    return evolveMemory(s, { ...envelope, type, actor, data: read });
  }, state);
}

function codeOf(command: () => unknown): string {
  try {
    command();
  } catch (error) {
    if (isDreamfoldError(error)) return error.code;
    throw error;
  }
  return 'ok';
}

const created = (approval: 'manual' | 'auto' = 'manual'): MemoryState =>
  fold(initialMemory, createStore(initialMemory, { name: 'desk', description: '', approval, by: 'person:ann' }));
const noteAt = (path: string, content: string): unknown[] => [
  { op: 'add', path: `/memories/${path.replaceAll('/', '~1')}`, value: { kind: 'note', content } },
];
const write = (state: MemoryState, patchId: string, operations: unknown): MemoryState =>
  fold(state, writeMemory(state, { patchId, operations, reason: 'said so', author: 'person:ann' }, tools));
const dreamt = (patchId: string, operations: unknown): Parameters<typeof proposePatch>[1] => ({
  patchId,
  operations,
  reason: 'the desk said so',
  author: 'dream:drm_1',
  evidence: ['session/sesn_1#4'],
});
const propose = (state: MemoryState, patchId: string, operations: unknown): MemoryState =>
  fold(state, proposePatch(state, dreamt(patchId, operations), tools));
const validate = (state: MemoryState, patchId: string): MemoryState =>
  fold(state, validatePatch(state, { patchId, gates: pass, by: 'dream:drm_1' }));
const approve = (state: MemoryState, patchId: string): MemoryState => fold(state, approvePatch(state, { patchId, by: 'person:ann' }));
const apply = (state: MemoryState, patchId: string): MemoryState => fold(state, applyPatch(state, { patchId, by: 'system' }, tools));
const whole = (state: MemoryState, patchId: string, operations: unknown): MemoryState =>
  apply(approve(validate(propose(state, patchId, operations), patchId), patchId), patchId);
const rollBack = (state: MemoryState, patchId: string): MemoryState =>
  fold(state, rollbackPatch(state, { patchId, by: 'person:ann', reason: 'it was wrong' }, tools));

describe('the way of a patch', () => {
  it('is proposed, validated, approved, applied and rolled back', () => {
    let state = propose(created(), 'p1', noteAt('/a', 'one'));
    expect(patchOf(state, 'p1')).toMatchObject({ status: 'proposed', proposal: { dream_id: 'drm_1', base_hash: initialMemory.hash } });
    expect(state.version).toBe(0);
    state = approve(validate(state, 'p1'), 'p1');
    expect(patchOf(state, 'p1')).toMatchObject({ status: 'approved', gates: pass, decision: { by: 'person:ann' } });
    state = apply(state, 'p1');
    expect(state).toMatchObject({ version: 1, document: { memories: { '/a': { kind: 'note', content: 'one' } } } });
    expect(state.hash).toBe(documentHash(state.document, tools.sha256));
    state = rollBack(state, 'p1');
    expect(state).toMatchObject({ version: 2, hash: initialMemory.hash, document: { memories: {} } });
    expect(state.history.map(({ change }) => change)).toEqual(['applied', 'rolled_back']);
  });

  it('can be shortened by a direct write, in one append', () => {
    const events = writeMemory(created(), { patchId: 'w', operations: noteAt('/a', 'x'), reason: 'r', author: 'person:ann' }, tools);
    expect(events.map(({ type }) => type.slice('memory.patch_'.length))).toEqual(['proposed', 'validated', 'approved', 'applied']);
    expect(fold(created(), events).version).toBe(1);
  });

  it('is refused where it leads nowhere', () => {
    const state = propose(created(), 'p1', noteAt('/a', 'one'));
    const by = 'person:ann';
    expect(codeOf(() => propose(initialMemory, 'p1', noteAt('/a', 'one')))).toBe('not_found');
    expect(codeOf(() => approvePatch(state, { patchId: 'p9', by }))).toBe('not_found');
    expect(codeOf(() => approvePatch(state, { patchId: '__proto__', by }))).toBe('not_found');
    expect(codeOf(() => approvePatch(state, { patchId: 'p1', by }))).toBe('precondition_failed');
    expect(codeOf(() => applyPatch(state, { patchId: 'p1', by }, tools))).toBe('not_approved');
    expect(codeOf(() => applyPatch(validate(state, 'p1'), { patchId: 'p1', by }, tools))).toBe('not_approved');
    expect(codeOf(() => rollbackPatch(state, { patchId: 'p1', by, reason: 'r' }, tools))).toBe('already_decided');
    const rejected = fold(state, rejectPatch(state, { patchId: 'p1', by, reason: 'not so' }));
    expect(patchOf(rejected, 'p1')).toMatchObject({ status: 'rejected', decision: { by, reason: 'not so' } });
    expect(codeOf(() => approvePatch(rejected, { patchId: 'p1', by }))).toBe('already_decided');
    expect(codeOf(() => rejectPatch(rejected, { patchId: 'p1', by, reason: 'r' }))).toBe('already_decided');
    expect(codeOf(() => applyPatch(rejected, { patchId: 'p1', by }, tools))).toBe('not_approved');
    const applied = whole(created(), 'p2', noteAt('/b', 'two'));
    expect(codeOf(() => applyPatch(applied, { patchId: 'p2', by }, tools))).toBe('already_decided');
    expect(codeOf(() => validatePatch(applied, { patchId: 'p2', gates: [], by }))).toBe('already_decided');
  });

  it('is not approved past a failed gate', () => {
    const state = propose(created(), 'p1', noteAt('/a', 'one'));
    const gates = [...pass, { gate: 'quorum', pass: false, reason: 'one session' }];
    const failed = fold(state, validatePatch(state, { patchId: 'p1', gates, by: 'dream:drm_1' }));
    expect(codeOf(() => approvePatch(failed, { patchId: 'p1', by: 'person:ann' }))).toBe('precondition_failed');
  });
});

describe('who may approve', () => {
  it('is neither the proposer nor any dream', () => {
    const state = validate(propose(created(), 'p1', noteAt('/a', 'one')), 'p1');
    for (const by of ['dream:drm_1', 'dream:drm_2']) {
      expect(codeOf(() => approvePatch(state, { patchId: 'p1', by }))).toBe('self_approval_forbidden');
    }
    const mine = { ...dreamt('p2', noteAt('/b', 'two')), author: 'person:ann' };
    const own = validate(fold(state, proposePatch(state, mine, tools)), 'p2');
    // However the name is written, it is the same person's.
    for (const by of ['person:ann', 'person:Ann', 'person:ANN']) {
      expect(codeOf(() => approvePatch(own, { patchId: 'p2', by }))).toBe('self_approval_forbidden');
    }
    expect(codeOf(() => approvePatch(own, { patchId: 'p2', by: 'person:bob' }))).toBe('ok');
    expect(codeOf(() => writeMemory(state, dreamt('w', noteAt('/b', 'x')), tools))).toBe('self_approval_forbidden');
  });

  it('is the policy only where the store says so', () => {
    const state = validate(propose(created(), 'p1', noteAt('/a', 'one')), 'p1');
    expect(codeOf(() => approvePatch(state, { patchId: 'p1', by: AUTO_APPROVER }))).toBe('self_approval_forbidden');
    const auto = validate(propose(created('auto'), 'p1', noteAt('/a', 'one')), 'p1');
    expect(codeOf(() => approvePatch(auto, { patchId: 'p1', by: AUTO_APPROVER }))).toBe('ok');
  });
});

describe('a proposal', () => {
  it('counts once under its id', () => {
    const state = propose(created(), 'p1', noteAt('/a', 'one'));
    expect(proposePatch(state, dreamt('p1', noteAt('/a', 'one')), tools)).toEqual([]);
    expect(codeOf(() => proposePatch(state, dreamt('p1', noteAt('/a', 'two')), tools))).toBe('idempotency_conflict');
    expect(createStore(state, { name: 'desk', description: '', approval: 'manual', by: 'x' })).toEqual([]);
    expect(codeOf(() => createStore(state, { name: 'other', description: '', approval: 'manual', by: 'x' }))).toBe('idempotency_conflict');
  });

  it('needs the base that its author read, and a dream needs evidence', () => {
    const state = write(created(), 'w', noteAt('/a', 'one'));
    const input = dreamt('p1', noteAt('/b', 'two'));
    expect(codeOf(() => proposePatch(state, { ...input, baseHash: initialMemory.hash }, tools))).toBe('precondition_failed');
    expect(codeOf(() => proposePatch(state, { ...input, baseHash: state.hash }, tools))).toBe('ok');
    expect(codeOf(() => proposePatch(state, { ...input, evidence: [] }, tools))).toBe('evidence_required');
  });

  it('is refused on a document that is not what the log says', () => {
    const damaged = { ...write(created(), 'w', noteAt('/a', 'one')), document: { memories: {} } };
    expect(codeOf(() => proposePatch(damaged, dreamt('p1', noteAt('/b', 'two')), tools))).toBe('store_corrupt');
  });

  it('is applied after others that touch nothing of it, in any order', () => {
    let state = propose(propose(created(), 'p1', noteAt('/a', 'one')), 'p2', noteAt('/b', 'two'));
    state = approve(validate(approve(validate(state, 'p1'), 'p1'), 'p2'), 'p2');
    const there = apply(apply(state, 'p1'), 'p2');
    const back = apply(apply(state, 'p2'), 'p1');
    expect(there.hash).toBe(back.hash);
    expect(Object.keys(there.document.memories).sort()).toEqual(['/a', '/b']);
  });

  it('is not applied over a change of the same place: no update is lost', () => {
    let state = propose(created(), 'p1', noteAt('/a', 'one'));
    state = write(approve(validate(state, 'p1'), 'p1'), 'w', noteAt('/a', 'by hand'));
    expect(codeOf(() => apply(state, 'p1'))).toBe('precondition_failed');
    expect(apply(rollBack(state, 'w'), 'p1').document.memories['/a']).toEqual({ kind: 'note', content: 'one' });
  });
});

describe('rolling back', () => {
  const replace = (content: string): unknown[] => [{ op: 'replace', path: '/memories/~1a/content', value: content }];

  it('restores the document byte for byte, newest first', () => {
    const states = [created()];
    for (const [i, operations] of [noteAt('/a', 'one'), replace('two'), noteAt('/b', 'x'), replace('three')].entries()) {
      states.push(whole(states.at(-1)!, `p${i}`, operations));
    }
    let state = states.at(-1)!;
    for (const i of [3, 2, 1, 0]) {
      state = rollBack(state, `p${i}`);
      expect(canonicalJson(state.document)).toBe(canonicalJson(states[i]!.document));
      expect(state.hash).toBe(states[i]!.hash);
    }
    expect(documentAt(state, 4)).toEqual(states[4]!.document);
    expect(documentAt(state, 6)).toEqual(states[2]!.document);
    expect(documentAt(state, 0)).toEqual({ memories: {} });
    expect(documentAt(state, 9)).toBeNull();
  });

  it('takes an older change out from under others, and refuses when a later one stands on it', () => {
    let state = write(write(created(), 'a', noteAt('/a', 'one')), 'b', noteAt('/b', 'x'));
    const edited = write(state, 'c', replace('two'));
    expect(codeOf(() => rollBack(edited, 'a'))).toBe('rollback_conflict');
    expect(rollBack(rollBack(edited, 'c'), 'a').document.memories).toEqual({ '/b': { kind: 'note', content: 'x' } });
    state = rollBack(state, 'a');
    expect(state.document.memories).toEqual({ '/b': { kind: 'note', content: 'x' } });
    expect(codeOf(() => rollBack(state, 'a'))).toBe('already_decided');
  });

  it('refuses when the path has been taken by another memory', () => {
    let state = write(created(), 'a', noteAt('/a', 'one'));
    state = write(state, 'gone', [{ op: 'remove', path: '/memories/~1a' }]);
    state = write(state, 'b', noteAt('/a/b', 'two'));
    expect(codeOf(() => rollBack(state, 'gone'))).toBe('rollback_conflict');
  });
});

describe('folding', () => {
  const events: NewEvent[] = [];
  let told = created();
  for (const [i, content] of ['one', 'two'].entries()) {
    const more = writeMemory(told, { patchId: `p${i}`, operations: noteAt('/a', content), reason: 'r', author: 'system' }, tools);
    events.push(...more);
    told = fold(told, more);
  }

  it('ignores what makes no sense where it stands', () => {
    expect(fold(initialMemory, events)).toBe(initialMemory);
    expect(fold(told, events)).toBe(told);
    const outOfTurn: NewEvent[] = [
      { type: 'memory.patch_applied', class: 'open', actor: 'x', data: { patch_id: 'p9', version: 3, hash: 'h' } },
      {
        type: 'memory.patch_rolled_back',
        class: 'open',
        actor: 'x',
        data: { patch_id: 'p1', version: 9, hash: 'h', by: 'x', reason: 'r' },
      },
      { type: 'memory.patch_approved', class: 'open', actor: 'x', data: { patch_id: 'p1', by: 'x' } },
      { type: 'log.genesis', class: 'open', actor: 'x', data: { log_id: 'l', rule: 1, partitions: 1, erasure: true } },
    ];
    expect(fold(told, outOfTurn)).toBe(told);
  });

  it('ignores an applied patch that the guard would refuse', () => {
    const operations = [{ op: 'add', path: '/policy', value: 'auto' }];
    const forged = { patch_id: 'f', base_hash: told.hash, operations, inverse: [], reason: 'r', evidence: [], author: 'x' };
    const state = fold(told, [
      { type: 'memory.patch_proposed', class: 'open', actor: 'x', data: forged },
      { type: 'memory.patch_validated', class: 'open', actor: 'x', data: { patch_id: 'f', gates: [] } },
      { type: 'memory.patch_approved', class: 'open', actor: 'x', data: { patch_id: 'f', by: 'y' } },
      { type: 'memory.patch_applied', class: 'open', actor: 'x', data: { patch_id: 'f', version: 3, hash: 'h' } },
    ]);
    expect(state.document).toBe(told.document);
    expect(state.version).toBe(2);
  });

  it('never changes an earlier state', () => {
    const before = canonicalJson(told.document);
    write(told, 'p3', [{ op: 'replace', path: '/memories/~1a/content', value: 'three' }]);
    expect(canonicalJson(told.document)).toBe(before);
  });
});

describe('an edit', () => {
  const waiting = (): MemoryState => validate(propose(created(), 'p1', noteAt('/a', 'one')), 'p1');
  const edit = {
    former: 'p1',
    patchId: 'p2',
    operations: noteAt('/a', 'uno'),
    reason: 'shorter',
    evidence: ['session/sesn_1#4'],
    gates: pass,
    by: 'person:ann',
  };

  it('is a proposal of whoever made it, with a reason of its own; the former is rejected; all in one append', () => {
    const events = editPatch(waiting(), { ...edit, note: 'shorter' }, tools);
    expect(events.map(({ type, actor }) => [type, actor])).toEqual([
      ['memory.patch_proposed', 'person:ann'],
      ['memory.patch_validated', 'person:ann'],
      ['memory.patch_rejected', 'person:ann'],
    ]);
    const state = fold(waiting(), events);
    expect(patchOf(state, 'p1')).toMatchObject({ status: 'rejected', decision: { by: 'person:ann', reason: 'Edited as p2: shorter' } });
    expect(patchOf(state, 'p2')).toMatchObject({
      status: 'validated',
      gates: pass,
      proposal: { author: 'person:ann', supersedes: 'p1', reason: 'shorter', evidence: ['session/sesn_1#4'] },
    });
    expect(patchOf(state, 'p2')!.proposal.dream_id).toBeUndefined();
    expect(state.version).toBe(0);
  });

  it('waits for somebody else, and can be edited again', () => {
    const state = fold(waiting(), editPatch(waiting(), edit, tools));
    expect(codeOf(() => approvePatch(state, { patchId: 'p2', by: 'person:ann' }))).toBe('self_approval_forbidden');
    const approved = fold(state, approvePatch(state, { patchId: 'p2', by: 'person:bob' }));
    expect(apply(approved, 'p2').document.memories).toEqual({ '/a': { kind: 'note', content: 'uno' } });
    const again = { ...edit, former: 'p2', patchId: 'p3', operations: noteAt('/a', 'un'), by: 'person:bob' };
    expect(patchOf(fold(state, editPatch(state, again, tools)), 'p2')!.status).toBe('rejected');
  });

  it('is applied at once as a direct change when that is asked for', () => {
    const state = fold(waiting(), editPatch(waiting(), { ...edit, apply: true }, tools));
    expect([state.version, patchOf(state, 'p2')!.status]).toEqual([1, 'applied']);
    expect(rollBack(state, 'p2').hash).toBe(waiting().hash);
  });

  it('made twice is one', () => {
    expect(editPatch(fold(waiting(), editPatch(waiting(), edit, tools)), edit, tools)).toEqual([]);
  });

  it('is refused for what is decided, for a dream, for what a gate stops, and when the place has changed', () => {
    expect(codeOf(() => editPatch(approve(waiting(), 'p1'), edit, tools))).toBe('already_decided');
    expect(codeOf(() => editPatch(waiting(), { ...edit, former: 'p9' }, tools))).toBe('not_found');
    expect(codeOf(() => editPatch(waiting(), { ...edit, by: 'dream:drm_2' }, tools))).toBe('self_approval_forbidden');
    const gates = [{ gate: 'constitution', pass: false, reason: 'no' }];
    expect(codeOf(() => editPatch(waiting(), { ...edit, gates }, tools))).toBe('precondition_failed');
    expect(codeOf(() => editPatch(waiting(), { ...edit, note: 'x'.repeat(4000) }, tools))).toBe('text_too_long');
    const operations = [{ op: 'test', path: '/memories/~1b', value: 1 }, ...edit.operations];
    expect(codeOf(() => editPatch(waiting(), { ...edit, operations }, tools))).toBe('precondition_failed');
  });
});
