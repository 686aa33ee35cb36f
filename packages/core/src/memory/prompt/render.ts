import type { Insight } from '@dreamfold/events';
import type { Memory, MemoryDocument } from '../document/document.ts';
import { compareText, renderInsight, writtenName } from './insight-text.ts';

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

/** The line above a note: where in its store it stands. */
export function noteHeading(path: string): string {
  return `## ${path}`;
}

function playbookHeading(path: string, title: string): string {
  return `## ${path}: ${title.replaceAll(/[\s\p{C}]+/gu, ' ').trim()}`;
}

/** The line above the insights on one tool. */
export function toolHeading(tool: string): string {
  return `For the tool ${writtenName(tool)}:`;
}

/** The lines of a note's content, without the blank ones at its end. */
export function noteLines(content: string): string[] {
  return content.trimEnd().split(/\r\n|\r|\n/);
}

/** By tool; base rates before choices, these before recoveries, by field and value, the strongest of a value first. */
function inReadingOrder(a: Insight, b: Insight): number {
  const subject = (insight: Insight): string => {
    if (insight.kind === 'recovery') return insight.signature;
    return insight.kind === 'choice' ? `${insight.field}\n${insight.value}` : insight.field;
  };
  const points = (insight: Insight): number => (insight.kind === 'choice' ? Math.max(...insight.cues.map((cue) => cue.points)) : 0);
  return (
    compareText(a.tool, b.tool) ||
    compareText(a.kind, b.kind) ||
    compareText(subject(a), subject(b)) ||
    points(b) - points(a) ||
    compareText(a.id, b.id)
  );
}
