import { Memory, renderInsight } from '@dreamfold/core';
import { Insight, type Finding, type PatchOperation } from '@dreamfold/events';
import { oneLine, printable } from './printable.ts';

const VALUE_CHARS = 100;

/** What a patch does, a line for each change. An insight reads as the agents will read it. */
export function patchLines(operations: readonly PatchOperation[]): string[] {
  // A removal is guarded by a test of what it removes, which tells what that is.
  const tested = new Map(operations.flatMap((op) => (op.op === 'test' ? [[op.path, op.value]] : [])));
  return operations.flatMap((op) => {
    if (op.op === 'test') return [];
    if (op.op === 'remove') return [`retire ${valueLine(op.path, tested.get(op.path))}`];
    if (op.op === 'move' || op.op === 'copy') return [`${op.op} ${printable(op.from)} to ${printable(op.path)}`];
    const insight = Insight.safeParse(op.value);
    return [insight.success ? insightLine(insight.data) : `${op.op} ${valueLine(op.path, op.value)}`];
  });
}

export function insightLine(insight: Finding): string {
  if (insight.kind === 'note') return `the note ${printable(insight.path)}: ${oneLine(insight.content, VALUE_CHARS)}`;
  return printable(renderInsight(insight).slice('- '.length));
}

function valueLine(pointer: string, value: unknown): string {
  const insight = Insight.safeParse(value);
  if (insight.success) return insightLine(insight.data);
  const memory = Memory.safeParse(value);
  const path = printable(pathOf(pointer));
  if (!memory.success) return value === undefined ? path : `${path} ${oneLine(JSON.stringify(value), VALUE_CHARS)}`;
  if (memory.data.kind === 'note') return `${path}: ${oneLine(memory.data.content, VALUE_CHARS)}`;
  const insights = Object.values(memory.data.insights).map(insightLine);
  return [`the playbook ${path}`, ...insights].join('; ');
}

/** `/notes/tone.md` of `/memories/~1notes~1tone.md`. */
function pathOf(pointer: string): string {
  return pointer
    .replace(/^\/memories\//, '')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
}
