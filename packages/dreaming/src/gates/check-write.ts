import { renderInsight, touchedParts, type MemoryDocument } from '@dreamfold/core';
import { DreamfoldError, findSuspicious, type Insight, type PatchOperation } from '@dreamfold/events';
import { textsOf } from './candidate.ts';
import { broken, type Constitution, type MemoryChange } from './constitution.ts';
import { findSecret } from './words/secrets.ts';
import { textPlace } from './words/text-place.ts';

/** A change that a person makes without a proposal. */
export interface DirectWrite {
  operations: readonly PatchOperation[];
  /** The store before the change and after it. */
  before: MemoryDocument;
  after: MemoryDocument;
  reason: string;
  constitution: Constitution;
}

/**
 * The form of what a person writes into a store is held to what dreams are held to: its characters, secrets, and the rules of
 * the operator. Only what is new is looked at. There is no way around: the text is mended where the error points.
 * @throws DreamfoldError suspicious_unicode, secret_detected, precondition_failed (a rule is broken)
 */
export function checkWrite({ operations, before, after, reason, constitution }: DirectWrite): void {
  checkText(reason, 'the reason');
  for (const { path, insight: only } of touchedParts(operations)) {
    const memory = Object.hasOwn(after.memories, path) ? after.memories[path]! : null;
    if (memory === null) continue;
    const old = Object.hasOwn(before.memories, path) ? before.memories[path]! : null;
    if (old === null) checkText(path, 'its path');
    if (memory.kind === 'note') {
      checkText(memory.content, path);
      const note = { path, content: memory.content };
      checkRules({ kind: 'note', text: memory.content, insight: null, note, reason }, path, constitution);
      continue;
    }
    checkText(memory.title, `the title of ${path}`);
    const known = old?.kind === 'playbook' ? old.insights : {};
    for (const insight of Object.values(memory.insights)) {
      if ((only !== null && insight.id !== only) || (Object.hasOwn(known, insight.id) && known[insight.id] === insight)) continue;
      checkInsight(insight, path);
      checkRules({ kind: insight.kind, text: renderInsight(insight), insight, note: null, reason }, path, constitution);
    }
  }
}

function checkInsight(insight: Insight, path: string): void {
  for (const text of textsOf({ finding: insight, claim: '' })) checkText(text, `the insight ${insight.id} of ${path}`);
}

function checkText(text: string, where: string): void {
  // A byte order mark at the beginning is an editor's, and says nothing.
  const odd = findSuspicious(text.replace(/^\ufeff/, ' '));
  if (odd !== null) {
    throw new DreamfoldError('suspicious_unicode', `${placeOf(text, odd.index, where)} holds ${odd.what}`, {
      path: where,
      remedy: 'Remove what stands there, or type the word again: a reader would not see it, or take it for something else.',
    });
  }
  const secret = findSecret(text);
  if (secret === null) return;
  throw new DreamfoldError('secret_detected', `${placeOf(text, secret.index, where)} holds ${secret.kind}`, {
    path: where,
    remedy: 'Take it out: no memory may hold one, whoever writes it. Say where it is kept instead.',
  });
}

function checkRules(change: MemoryChange, path: string, constitution: Constitution): void {
  const why = broken(change, constitution);
  if (why === null) return;
  throw new DreamfoldError('precondition_failed', `${path} breaks a rule of the operator: ${why}`, {
    path,
    remedy: 'Write it otherwise, or change the file of rules.',
  });
}

/** `/notes/tone.md, line 3, column 9,` */
function placeOf(text: string, index: number, where: string): string {
  return `${where}, ${textPlace(text, index)},`;
}
