import {
  BaseRateInsight,
  Cue,
  DreamfoldError,
  Insight,
  type ChoiceInsight,
  type PatchOperation,
  type RecoveryInsight,
} from '@dreamfold/events';
import { z } from 'zod';
import { Note } from '../document/document.ts';
import { parsePointer } from '../document/json-pointer.ts';
import {
  parseBaseRate,
  parseChoice,
  parseRecovery,
  renderBaseRate,
  renderChoice,
  renderCue,
  renderRate,
  renderRecovery,
  strongestFirst,
} from './insight-text.ts';

const Written = z.union([Insight, Note]);

/** The one thing that a patch writes. */
interface WrittenByPatch {
  /** Of the operation. */
  index: number;
  /** Of the memory. */
  path: string;
  value: Insight | Note;
}

/** The insight or note that a patch writes; null when it writes none, as a retirement, or something else. */
export function writtenBy(operations: readonly PatchOperation[]): WrittenByPatch | null {
  const writes = operations.flatMap((operation, index) => {
    if (operation.op !== 'add' && operation.op !== 'replace') return [];
    const parsed = Written.safeParse(operation.value);
    return [parsed.success ? { index, path: parsePointer(operation.path, 'path')[1] ?? '', value: parsed.data } : null];
  });
  return writes.length === 1 ? writes[0]! : null;
}

/**
 * What a patch writes, as a person edits it: a note as it is; an insight as agents read it, a cue on each line, without the
 * counts of its evidence, which are nobody's to edit. Null for a patch that writes no text.
 */
export function proposedText(operations: readonly PatchOperation[]): string | null {
  const written = writtenBy(operations);
  if (written === null) return null;
  const { value } = written;
  if (value.kind === 'note') return value.content;
  if (value.kind === 'recovery') return `${renderRecovery(value).slice('- '.length)}\n`;
  if (value.kind === 'base_rate') return `${[renderBaseRate(value).slice('- '.length), ...value.values.map(renderRate)].join('\n')}\n`;
  return `${[renderChoice(value).slice('- '.length), ...value.cues.toSorted(strongestFirst).map(renderCue)].join('\n')}\n`;
}

/**
 * The same patch with another text. A cue that stays keeps its counts; a new one has none yet.
 * @param text in the form of `proposedText`
 * @returns null when the text says what the patch says already
 * @throws DreamfoldError invalid_argument
 */
export function withProposedText(operations: readonly PatchOperation[], text: string): PatchOperation[] | null {
  const written = writtenBy(operations);
  if (written === null) {
    throw invalid('The patch writes no insight or note that could be edited', text, 'Approve or reject it as it stands.');
  }
  if (text.trim() === '') throw invalid('The text is empty', text, 'Reject the patch if nothing of it should stay.');
  const { index, value } = written;
  const edited = value.kind === 'note' ? { ...value, content: text } : readInsight(value, text);
  const before = proposedText(operations)!;
  const after = operations.map((operation, i) => (i === index ? { ...operation, value: edited } : operation)) as PatchOperation[];
  return proposedText(after) === before ? null : after;
}

function readInsight(before: Insight, text: string): Insight {
  switch (before.kind) {
    case 'choice':
      return readChoice(before, text);
    case 'recovery':
      return readRecovery(before, text);
    case 'base_rate':
      return readBaseRate(before, text);
  }
}

function readBaseRate(before: BaseRateInsight, text: string): BaseRateInsight {
  const read = parsed(parseBaseRate, text);
  if (read === null || read.field !== before.field || read.rest !== '') throw unreadable(before, text);
  const whole = BaseRateInsight.safeParse({ ...before, values: read.values });
  if (whole.success) return whole.data;
  throw invalid(`The values can't be used: ${whole.error.issues[0]!.message}`, text, remedyFor(before));
}

function readChoice(before: ChoiceInsight, text: string): ChoiceInsight {
  const read = parsed(parseChoice, text);
  if (read === null || read.field !== before.field) throw unreadable(before, text);
  const cues = read.cues.map(({ written, ...cue }): Cue => {
    const kept = read.value === before.value ? before.cues.find((one) => one.phrase === cue.phrase) : undefined;
    const whole = Cue.safeParse({ ...cue, sessions: kept?.sessions ?? 0, principals: kept?.principals ?? 0 });
    if (whole.success) return whole.data;
    throw invalid(`The cue ${written} can't be used: ${whole.error.issues[0]!.message}`, written, remedyFor(before));
  });
  if (cues.length === 0 || read.rest !== '') throw unreadable(before, read.rest || text);
  return { ...before, value: read.value, cues };
}

function readRecovery(before: RecoveryInsight, text: string): RecoveryInsight {
  const read = parsed(parseRecovery, text);
  if (read === null || read.signature !== before.signature) throw unreadable(before, text);
  return { ...before, next: read.next };
}

function parsed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid('It holds a string that is none of JSON', text, 'Write quotes and backslashes inside it as \\" and \\\\.');
  }
}

function unreadable(before: Insight, text: string): DreamfoldError {
  return invalid(`This does not read as ${whatIs(before)}`, text, remedyFor(before));
}

function whatIs(before: Insight): string {
  if (before.kind === 'recovery') return 'what runs did after the same error';
  return before.kind === 'choice' ? `a choice of ${before.field}` : `base rates of ${before.field}`;
}

function formOf(before: Insight): string {
  if (before.kind === 'recovery') return renderRecovery(before);
  if (before.kind === 'base_rate') return `${renderBaseRate(before)} "a value" (+12), with points from 1 to 999`;
  return `${renderChoice(before)} "a phrase" (+12), with points from 1 to 999`;
}

function remedyFor(before: Insight): string {
  const form = formOf(before).slice('- '.length);
  return `Write it in the form that \`review show --json\` gives as text: ${form}.`;
}

function invalid(message: string, text: string, remedy: string): DreamfoldError {
  return new DreamfoldError('invalid_argument', message, { path: 'text', value: text.slice(0, 100), remedy });
}
