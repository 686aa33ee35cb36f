import type { BaseRateInsight, ChoiceInsight, Cue, Insight, RecoveryInsight } from '@dreamfold/events';

// The grammar of an insight as agents and people read it: what writes it, and what reads it back.
//
//   - FIELD = "VALUE" when the request says "PHRASE" (+POINTS), "PHRASE" (+POINTS) (seen in N sessions of M principals)
//   - whatever the request says, FIELD is often "VALUE" (+POINTS), "VALUE" (+POINTS) (seen in …)
//   - after the error "SIGNATURE", runs that went well went on with TOOL (seen in …)
//
// What a person edits has neither the dash nor what is in the last brackets, and cues may stand on lines of their own.

/**
 * One insight as one line of Markdown, such as
 * `- queue = "shipping" when the request says "parcel" (+31), "courier" (+12) (seen in 3 sessions of 3 principals)`.
 * Names and phrases from elsewhere are quoted as in JSON, with every "<" and every invisible character escaped: whatever
 * they hold, the line stays one line, and opens and closes no tag.
 */
export function renderInsight(insight: Insight): string {
  const { sessions, principals } = insight.support;
  const seen = `(seen in ${count(sessions, 'session')} of ${count(principals, 'principal')})`;
  if (insight.kind === 'recovery') return `${renderRecovery(insight)} ${seen}`;
  if (insight.kind === 'base_rate') return `${renderBaseRate(insight)} ${insight.values.map(renderRate).join(', ')} ${seen}`;
  return `${renderChoice(insight)} ${insight.cues.toSorted(strongestFirst).map(renderCue).join(', ')} ${seen}`;
}

/** A choice up to its cues. */
export function renderChoice({ field, value }: Pick<ChoiceInsight, 'field' | 'value'>): string {
  return `- ${writtenName(field)} = ${quoted(value)} when the request says`;
}

/** A cue with its points, such as `"refund" (+12)`; without a phrase, the points that a value has whatever the request says. */
export function renderCue({ phrase, points }: Pick<Cue, 'phrase' | 'points'>): string {
  return `${phrase === '' ? 'anything' : quoted(phrase)} (+${points})`;
}

/** Base rates up to their values. */
export function renderBaseRate({ field }: Pick<BaseRateInsight, 'field'>): string {
  return `- whatever the request says, ${writtenName(field)} is often`;
}

/** A value with the points of its base rate. */
export function renderRate({ value, points }: BaseRateInsight['values'][number]): string {
  return `${quoted(value)} (+${points})`;
}

/** The value that is likeliest for a request, in the form of a call. */
export function renderLikely({ field, value }: Pick<ChoiceInsight, 'field' | 'value'>): string {
  return `Requests like this one were right with {${quoted(field)}: ${quoted(value)}}.`;
}

/** What went with success, said as such: an association is no advice. */
export function renderRecovery({ signature, next }: RecoveryInsight): string {
  const step = next === 'respond' ? 'with a message to the user' : `with ${writtenName(next)}`;
  return `- after the error ${quoted(signature)}, runs that went well went on ${step}`;
}

/** Of cues or of whatever has their points and phrase. */
export function strongestFirst(a: Pick<Cue, 'phrase' | 'points'>, b: Pick<Cue, 'phrase' | 'points'>): number {
  return b.points - a.points || compareText(a.phrase, b.phrase);
}

/** An order of texts that is the same on every machine, by code units: for `sort`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** A plain name as it is, any other one quoted. */
export function writtenName(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : quoted(text);
}

/** Reads back with JSON.parse. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[<\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    [...Array(char.length).keys()].map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
const NAME = String.raw`[\w.-]+|${STRING}`;
const CHOICE_HEAD = new RegExp(String.raw`^\s*(?:- )?(${NAME}) = (${STRING}) when the request says`, 'y');
const CHOICE_CUE = new RegExp(String.raw`\s*,?\s*(${STRING}) \(\+(\d{1,3})\)`, 'y');
const BASE_RATE_HEAD = new RegExp(String.raw`^\s*(?:- )?whatever the request says, (${NAME}) is often`, 'y');
const RECOVERY = new RegExp(
  String.raw`^\s*(?:- )?after the error (${STRING}), runs that went well went on with (?:(a message to the user)|(${NAME}))\s*$`,
);

/** A choice as it is written, without the counts of its evidence. */
export interface ReadChoice {
  field: string;
  value: string;
  cues: readonly (Pick<Cue, 'phrase' | 'points'> & { written: string })[];
  /** What follows the last cue that could be read. */
  rest: string;
}

/**
 * Reads a choice as `renderChoice` and `renderCue` write it.
 * @returns null for what begins as no choice
 * @throws SyntaxError for a string that is none of JSON
 */
export function parseChoice(text: string): ReadChoice | null {
  const head = matchAt(CHOICE_HEAD, text, 0);
  if (head === null) return null;
  const cues: ReadChoice['cues'][number][] = [];
  let at = head[0].length;
  for (let cue = matchAt(CHOICE_CUE, text, at); cue !== null; cue = matchAt(CHOICE_CUE, text, at)) {
    cues.push({ phrase: unquoted(cue[1]!), points: Number(cue[2]), written: cue[0].trim() });
    at += cue[0].length;
  }
  return { field: unquoted(head[1]!), value: unquoted(head[2]!), cues, rest: text.slice(at).trim() };
}

/**
 * Reads base rates as `renderBaseRate` and `renderRate` write them.
 * @returns null for what begins as none
 * @throws SyntaxError for a string that is none of JSON
 */
export function parseBaseRate(text: string): (Pick<BaseRateInsight, 'field' | 'values'> & { rest: string }) | null {
  const head = matchAt(BASE_RATE_HEAD, text, 0);
  if (head === null) return null;
  const values: BaseRateInsight['values'] = [];
  let at = head[0].length;
  for (let rate = matchAt(CHOICE_CUE, text, at); rate !== null; rate = matchAt(CHOICE_CUE, text, at)) {
    values.push({ value: unquoted(rate[1]!), points: Number(rate[2]) });
    at += rate[0].length;
  }
  return { field: unquoted(head[1]!), values, rest: text.slice(at).trim() };
}

/**
 * Reads what `renderRecovery` writes.
 * @returns null for what is no recovery
 * @throws SyntaxError for a string that is none of JSON
 */
export function parseRecovery(text: string): Pick<RecoveryInsight, 'signature' | 'next'> | null {
  const [, signature, respond, next] = RECOVERY.exec(text) ?? [];
  if (signature === undefined) return null;
  return { signature: unquoted(signature), next: respond === undefined ? unquoted(next!) : 'respond' };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A name as it is, or what its quotes hold. */
function unquoted(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}
