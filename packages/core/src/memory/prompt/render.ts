import type { ChoiceInsight, Cue, Insight, RecoveryInsight } from '@dreamfold/events';
import type { Memory, MemoryDocument } from '../document/document.ts';

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
  return `${renderChoice(insight)} ${insight.cues.toSorted(strongestFirst).map(renderCue).join(', ')} ${seen}`;
}

/** A choice up to its cues. */
export function renderChoice({ field, value }: Pick<ChoiceInsight, 'field' | 'value'>): string {
  return `- ${name(field)} = ${quoted(value)} when the request says`;
}

export function renderCue({ phrase, points }: Pick<Cue, 'phrase' | 'points'>): string {
  return `${quoted(phrase)} (+${points})`;
}

/** What went with success, said as such: an association is no advice. */
export function renderRecovery({ signature, next }: RecoveryInsight): string {
  const step = next === 'respond' ? 'with a message to the user' : `with ${name(next)}`;
  return `- after the error ${quoted(signature)}, runs that went well went on ${step}`;
}

/** Of cues or of whatever has their points and phrase. */
export function strongestFirst(a: Pick<Cue, 'phrase' | 'points'>, b: Pick<Cue, 'phrase' | 'points'>): number {
  return b.points - a.points || compareText(a.phrase, b.phrase);
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A line of Markdown and where in the document it comes from. */
export interface RenderedLine {
  text: string;
  /** The memory that it belongs to. */
  path: string;
  /** Of a playbook: the insight that it says; null for a heading, or a blank line. */
  insight: string | null;
  /** Of a note: which line of its content it is, from 0; null for a heading, or the blank line after it. */
  noteLine: number | null;
}

/** The whole document as Markdown; the same document always gives the same text, whatever the order of its keys. */
export function renderMemory(document: MemoryDocument): string {
  return renderLines(document)
    .map(({ text }) => text)
    .join('\n');
}

/** The whole document as Markdown, with where each line comes from. */
export function renderLines(document: MemoryDocument): RenderedLine[] {
  return Object.entries(document.memories)
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([path, memory]) => linesOf(path, memory));
}

function linesOf(path: string, memory: Memory): RenderedLine[] {
  const line = (text: string, from: Partial<RenderedLine> = {}): RenderedLine => ({ text, path, insight: null, noteLine: null, ...from });
  if (memory.kind === 'note') {
    return [line(noteHeading(path)), ...noteLines(memory.content).map((text, noteLine) => line(text, { noteLine })), line('')];
  }
  const insights = Object.values(memory.insights).sort(inReadingOrder);
  if (insights.length === 0) return [];
  const lines = [line(playbookHeading(path, memory.title))];
  let tool = '';
  for (const insight of insights) {
    if (insight.tool !== tool) lines.push(line(toolHeading(insight.tool)));
    tool = insight.tool;
    lines.push(line(renderInsight(insight), { insight: insight.id }));
  }
  return [...lines, line('')];
}

export function noteHeading(path: string): string {
  return `## ${path}`;
}

function playbookHeading(path: string, title: string): string {
  return `## ${path}: ${title.replaceAll(/[\s\p{C}]+/gu, ' ').trim()}`;
}

export function toolHeading(tool: string): string {
  return `For the tool ${name(tool)}:`;
}

/** The lines of a note's content, without the blank ones at its end. */
export function noteLines(content: string): string[] {
  return content.trimEnd().split(/\r\n|\r|\n/);
}

/** By tool; choices before recoveries, by field and value, the strongest of a value first. */
function inReadingOrder(a: Insight, b: Insight): number {
  const subject = (insight: Insight): string => (insight.kind === 'choice' ? `${insight.field}\n${insight.value}` : insight.signature);
  const points = (insight: Insight): number => (insight.kind === 'choice' ? Math.max(...insight.cues.map((cue) => cue.points)) : 0);
  return (
    compareText(a.tool, b.tool) ||
    compareText(a.kind, b.kind) ||
    compareText(subject(a), subject(b)) ||
    points(b) - points(a) ||
    compareText(a.id, b.id)
  );
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** A plain name as it is, any other one quoted. */
function name(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : quoted(text);
}

/** Reads back with JSON.parse. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[<\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    [...Array(char.length).keys()].map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
