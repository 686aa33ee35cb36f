import { equalJson } from '../../memory/document/canonical-json.ts';
import { escapeToken } from '../../memory/document/json-pointer.ts';

const MAX_CHANGES = 20;
const MAX_VALUE_CHARS = 500;

/** One value of a call's input that a person changed; without `before` it was added, without `after` it was taken out. */
export interface InputChange {
  /** A JSON pointer. */
  path: string;
  before?: unknown;
  after?: unknown;
}

/** What differs between two inputs, down to the values. */
export function inputChanges(before: unknown, after: unknown, path = ''): InputChange[] {
  if (!isRecord(before) || !isRecord(after)) return equalJson(before, after) ? [] : [{ path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => {
    const at = `${path}/${escapeToken(key)}`;
    if (!Object.hasOwn(before, key)) return [{ path: at, after: after[key] }];
    if (!Object.hasOwn(after, key)) return [{ path: at, before: before[key] }];
    return inputChanges(before[key], after[key], at);
  });
}

/** The changes in words, for the model: its call ran with another input than it gave. */
export function tellChanges(before: unknown, after: unknown): string {
  const changes = inputChanges(before, after);
  const lines = changes.slice(0, MAX_CHANGES).map(tellChange);
  const more = changes.length > MAX_CHANGES ? [`- and ${changes.length - MAX_CHANGES} more`] : [];
  return ['A person changed the input of this call before it ran:', ...lines, ...more, 'The result of the call as it ran:'].join('\n');
}

function tellChange({ path, ...change }: InputChange): string {
  const at = path === '' ? 'the whole input' : path.slice(1);
  if (!('before' in change)) return `- ${at}: ${valueText(change.after)} (added)`;
  if (!('after' in change)) return `- ${at}: ${valueText(change.before)} (taken out)`;
  return `- ${at}: ${valueText(change.before)} → ${valueText(change.after)}`;
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS).toWellFormed()}… (${text.length} characters)`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
