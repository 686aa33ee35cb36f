import { Cue, DreamfoldError, Insight, type ChoiceInsight, type PatchOperation, type RecoveryInsight } from '@dreamfold/events';
import { z } from 'zod';
import { Note } from '../document/document.ts';
import { parsePointer } from '../document/json-pointer.ts';
import { renderChoice, renderCue, renderRecovery, strongestFirst } from './render.ts';

const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
const NAME = String.raw`[\w.-]+|${STRING}`;
const CHOICE_HEAD = new RegExp(String.raw`^\s*(?:- )?(${NAME}) = (${STRING}) when the request says`, 'y');
const CHOICE_CUE = new RegExp(String.raw`\s*,?\s*(${STRING}) \(\+(\d{1,3})\)`, 'y');
const RECOVERY = new RegExp(
  String.raw`^\s*(?:- )?after the error (${STRING}), runs that went well went on with (?:(a message to the user)|(${NAME}))\s*$`,
);
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
  const edited =
    value.kind === 'note' ? { ...value, content: text } : value.kind === 'choice' ? readChoice(value, text) : readRecovery(value, text);
  const before = proposedText(operations)!;
  const after = operations.map((operation, i) => (i === index ? { ...operation, value: edited } : operation)) as PatchOperation[];
  return proposedText(after) === before ? null : after;
}

function readChoice(before: ChoiceInsight, text: string): ChoiceInsight {
  const [head, field, quotedValue] = matchAt(CHOICE_HEAD, text, 0) ?? [];
  if (head === undefined || unquoted(field!) !== before.field) throw unreadable(before, text);
  const value = unquoted(quotedValue!);
  const cues: Cue[] = [];
  let at = head.length;
  for (let cue = matchAt(CHOICE_CUE, text, at); cue !== null; cue = matchAt(CHOICE_CUE, text, at)) {
    const [phrase, points] = [unquoted(cue[1]!), Number(cue[2])];
    const kept = value === before.value ? before.cues.find((one) => one.phrase === phrase) : undefined;
    const parsed = Cue.safeParse({ phrase, points, sessions: kept?.sessions ?? 0, principals: kept?.principals ?? 0 });
    if (!parsed.success)
      throw invalid(`The cue ${cue[0].trim()} can't be used: ${parsed.error.issues[0]!.message}`, cue[0], remedyFor(before));
    cues.push(parsed.data);
    at += cue[0].length;
  }
  if (cues.length === 0 || text.slice(at).trim() !== '') throw unreadable(before, text.slice(at).trim() || text);
  return { ...before, value, cues };
}

function readRecovery(before: RecoveryInsight, text: string): RecoveryInsight {
  const [, signature, respond, name] = RECOVERY.exec(text) ?? [];
  if (signature === undefined || unquoted(signature) !== before.signature) throw unreadable(before, text);
  const next = respond === undefined ? unquoted(name!) : 'respond';
  return { ...before, next };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A name as it is, or what its quotes hold. */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    throw invalid(`${text} is no string as in JSON`, text, 'Write quotes and backslashes inside it as \\" and \\\\.');
  }
}

function unreadable(before: Insight, text: string): DreamfoldError {
  const what = before.kind === 'choice' ? `a choice of ${before.field}` : 'what runs did after the same error';
  return invalid(`This does not read as ${what}`, text, remedyFor(before));
}

function remedyFor(before: Insight): string {
  const form =
    before.kind === 'choice'
      ? `${renderChoice(before).slice('- '.length)} "a phrase" (+12), with points from 1 to 999`
      : renderRecovery(before).slice('- '.length);
  return `Write it in the form that \`review show --json\` gives as text: ${form}.`;
}

function invalid(message: string, text: string, remedy: string): DreamfoldError {
  return new DreamfoldError('invalid_argument', message, { path: 'text', value: text.slice(0, 100), remedy });
}
