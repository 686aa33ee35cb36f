import { inputChanges } from '@dreamfold/core';
import { suspiciousCharacters, type JsonSchema } from '@dreamfold/events';
import { printable } from './printable.ts';

/** Of a longer string, its beginning and its end are shown. */
const VALUE_CHARS = 200;
const TAIL_CHARS = 40;
const LINE_VALUE_CHARS = 60;
const KEY_CHARS = 64;
/** Fields that the schema names are always shown; of others, and of items, so many. */
const MAX_OTHERS = 50;
const MAX_ITEMS = 30;
const LINE_ITEMS = 10;
/** A value that is longer goes on in the next line, behind a bar: a terminal that breaks lines by itself would let it pose as a field. */
const CHUNK_CHARS = 60;
const MAX_DEPTH = 8;

export interface CallView {
  lines: string[];
  /** Characters of the input that the lines leave out. */
  hiddenCharacters: number;
}

interface Drawing {
  whole: boolean;
  hidden: number;
  lines: string[];
}

/** What a line begins with: the indent, and the name of the field or item. */
interface Place {
  indent: string;
  label: string;
}

/**
 * A call's input as it is shown to who decides on it: one field a line, in the order of the tool's schema and not in the model's. Each value
 * is cut by itself, so that none can push another out of sight, and says how much of it is hidden.
 * @param options.whole cuts nothing
 */
export function callView(input: unknown, schema: JsonSchema | undefined, { whole }: { whole: boolean }): CallView {
  const drawing: Drawing = { whole, hidden: 0, lines: [] };
  if (isNested(input)) drawNested(drawing, input, { schema, indent: '  ', depth: 0 });
  else drawScalar(drawing, input, { indent: '  ', label: 'input' });
  return { lines: drawing.lines, hiddenCharacters: drawing.hidden };
}

function drawNested(drawing: Drawing, value: object, { schema, indent, depth }: { schema: unknown; indent: string; depth: number }): void {
  const { entries, left } = fieldsOf(value, schema, drawing.whole);
  if (entries.length === 0) drawing.lines.push(`${indent}${Array.isArray(value) ? 'no items' : 'no fields'}`);
  const labels = entries.map(([key]) => labelOf(key));
  const width = Math.max(0, ...labels.map((label) => label.length));
  for (const [i, [, child, childSchema]] of entries.entries()) {
    const place = { indent, label: labels[i]!.padEnd(width) };
    if (isNested(child) && Object.keys(child).length > 0) {
      if (depth + 1 >= MAX_DEPTH && !drawing.whole) hide(drawing, { ...place, text: 'nested deeper' }, [child]);
      else {
        drawing.lines.push(`${indent}${labels[i]}`);
        drawNested(drawing, child, { schema: childSchema, indent: `${indent}  `, depth: depth + 1 });
      }
    } else drawScalar(drawing, child, place);
  }
  if (left.length > 0) hide(drawing, { indent, label: '', text: `and ${left.length} more` }, left);
}

function hide(drawing: Drawing, { indent, label, text }: Place & { text: string }, values: readonly unknown[]): void {
  const characters = values.reduce<number>((sum, value) => sum + Array.from(JSON.stringify(value) ?? '').length, 0);
  drawing.hidden += characters;
  drawing.lines.push(`${indent}${label}${label === '' ? '' : '  '}${text} (${characters} characters hidden)`);
}

function drawScalar(drawing: Drawing, value: unknown, { indent, label }: Place): void {
  const { text, hidden, of } = cutValue(value, drawing.whole ? Number.POSITIVE_INFINITY : VALUE_CHARS);
  const characters = Array.from(text);
  const chunks = Array.from({ length: Math.ceil(characters.length / CHUNK_CHARS) }, (_, i) =>
    characters.slice(i * CHUNK_CHARS, (i + 1) * CHUNK_CHARS).join(''),
  );
  const odd = typeof value === 'string' ? suspiciousCharacters(value) : null;
  drawing.hidden += hidden;
  if (hidden > 0) chunks.push(`(${hidden} of ${of} characters hidden)`);
  if (odd !== null) chunks.push(`! it holds ${odd}`);
  for (const [i, chunk] of chunks.entries())
    drawing.lines.push(`${indent}${i === 0 ? label : ' '.repeat(label.length)}${i === 0 ? '  ' : '│ '}${chunk}`);
}

interface CutValue {
  text: string;
  /** Characters that are left out, and all there are. */
  hidden: number;
  of: number;
}

/** A value in JSON, of which a long string is cut in the middle. */
function cutValue(value: unknown, max: number): CutValue {
  const characters = typeof value === 'string' ? Array.from(value) : [];
  const of = characters.length;
  if (of <= max) return { text: printable(quoted(value)), hidden: 0, of };
  const tail = Math.min(TAIL_CHARS, Math.floor(max / 4));
  const [head, end] = [characters.slice(0, max - tail), characters.slice(-tail)].map((part) => printable(quoted(part.join(''))));
  return { text: `${head} … ${end}`, hidden: of - max, of };
}

/** The same, for a place where nothing else says how much is hidden. */
function cutText(value: unknown, max: number): string {
  const { text, hidden, of } = cutValue(value, max);
  return hidden === 0 ? text : `${text} (${hidden} of ${of} characters hidden)`;
}

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

function labelOf(key: string): string {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(key)) return key;
  return cutText(key, KEY_CHARS);
}

type Field = [key: string, value: unknown, schema: unknown];

/** Fields in the order of the schema, then those that it does not name, by their names; the items of a list by their numbers. */
function fieldsOf(value: object, schema: unknown, whole: boolean): { entries: Field[]; left: unknown[] } {
  if (Array.isArray(value)) {
    const shown = whole ? value.length : MAX_ITEMS;
    const items = (objectSchema(schema) as { items?: unknown }).items;
    return { entries: value.slice(0, shown).map((item, i) => [String(i + 1), item, items]), left: value.slice(shown) };
  }
  const record = value as Record<string, unknown>;
  const properties = ((objectSchema(schema) as { properties?: unknown }).properties ?? {}) as Record<string, unknown>;
  const named = Object.keys(properties).filter((key) => Object.hasOwn(record, key));
  const others = Object.keys(record)
    .filter((key) => !Object.hasOwn(properties, key))
    .toSorted();
  const shown = whole ? others.length : MAX_OTHERS;
  const keys = [...named, ...others.slice(0, shown)];
  return {
    entries: keys.map((key) => [key, record[key], Object.hasOwn(properties, key) ? properties[key] : undefined]),
    left: others.slice(shown).map((key) => ({ [key]: record[key] })),
  };
}

/** The part of a schema that says what an object or a list holds: a field that may be null has it among others. */
function objectSchema(schema: unknown): object {
  if (typeof schema !== 'object' || schema === null) return {};
  if ('properties' in schema || 'items' in schema || !('anyOf' in schema) || !Array.isArray(schema.anyOf)) return schema;
  const part: unknown = schema.anyOf.find(
    (one: unknown) => typeof one === 'object' && one !== null && ('properties' in one || 'items' in one),
  );
  return (part as object | undefined) ?? {};
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A call's input in one line of JSON, its fields in the order of the schema, each value cut by itself. */
export function callLine(value: unknown, schema: unknown): string {
  if (!isNested(value)) return cutText(value, LINE_VALUE_CHARS);
  const { entries, left } = fieldsOf(value, schema, false);
  const isList = Array.isArray(value);
  const shown = isList ? entries.slice(0, LINE_ITEMS) : entries;
  const parts = shown.map(([key, child, childSchema]) => `${isList ? '' : `${cutText(key, KEY_CHARS)}:`}${callLine(child, childSchema)}`);
  const more = entries.length - shown.length + left.length;
  if (more > 0) parts.push(`and ${more} more`);
  return isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}

/** What a person changed of a call's input, a line each. */
export function changeLines(before: unknown, after: unknown): string[] {
  return inputChanges(before, after).map(({ path, ...change }) => {
    const at = path === '' ? 'input' : printable(path.slice(1));
    if (!('before' in change)) return `changed ${at}: added ${callLine(change.after, undefined)}`;
    if (!('after' in change)) return `changed ${at}: took out ${callLine(change.before, undefined)}`;
    return `changed ${at}: ${callLine(change.before, undefined)} → ${callLine(change.after, undefined)}`;
  });
}
