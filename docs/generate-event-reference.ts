// Writes docs/events.md from the catalogue: the fields from the schemas, the words from the comments beside them.
// With --check it writes nothing and fails when the page is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import * as catalogue from '../packages/events/src/catalogue.ts';
import * as content from '../packages/events/src/content.ts';
import * as dreamEvents from '../packages/events/src/dream-events.ts';
import * as envelope from '../packages/events/src/envelope.ts';
import * as errors from '../packages/events/src/errors.ts';
import * as memoryEvents from '../packages/events/src/memory-events.ts';
import * as sessionEvents from '../packages/events/src/session-events.ts';
import * as teamSnapshot from '../packages/events/src/team-snapshot.ts';

/** What the page shows of a JSON Schema. */
interface Json {
  $ref?: string;
  anyOf?: Json[];
  oneOf?: Json[];
  enum?: string[];
  const?: string;
  type?: string | string[];
  properties?: Record<string, Json>;
  required?: string[];
  additionalProperties?: Json | boolean;
  items?: Json;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

const MODULES = {
  'envelope.ts': envelope,
  'catalogue.ts': catalogue,
  'session-events.ts': sessionEvents,
  'memory-events.ts': memoryEvents,
  'dream-events.ts': dreamEvents,
  'team-snapshot.ts': teamSnapshot,
  'content.ts': content,
};

const PAGE = new URL('events.md', import.meta.url);
const HEAD = `# Event reference

Generated from the catalogue in \`packages/events\` by \`pnpm docs:events\`; do not edit.

Every event is an envelope and a payload, \`data\`. Types and fields are those of Claude Managed Agents wherever it has them;
a field that starts with \`df_\` is Dreamfold's own. A name in the type column that is a link is described under [Shapes](#shapes).

A character is a Unicode code point: an emoji is one, though it takes two units in UTF-16. A payload is JSON of at most 262,144 bytes, nested at most 64 deep. Its
keys and texts are data, whatever they are: \`__proto__\`, NUL and half a surrogate pair are kept as they came.`;

interface Named {
  name: string;
  schema: z.ZodType;
  /** The comment above the schema. */
  doc: string;
  /** The comments above its fields. */
  fields: Map<string, string>;
}

function words(comment: string | undefined): string {
  return (comment ?? '').replaceAll(/\s*\n\s*\* ?/g, ' ').trim();
}

/** The exported schemas of the events package with their comments, by name. */
export function namedSchemas(): Map<string, Named> {
  const named = new Map<string, Named>();
  for (const [file, module] of Object.entries(MODULES)) {
    const source = readFileSync(new URL(`../packages/events/src/${file}`, import.meta.url), 'utf8');
    for (const [name, schema] of Object.entries<unknown>(module)) {
      if (!(schema instanceof z.ZodType)) continue;
      const [, comment, body] = new RegExp(`(?:/\\*\\*((?:(?!\\*/)[^])*)\\*/\\n)?export const ${name} =([^]*?)\\n(?:export|$)`).exec(
        source,
      )!;
      const fields = new Map([...body!.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s+(\w+):/g)].map((match) => [match[2]!, words(match[1])]));
      named.set(name, { name, schema, doc: words(comment), fields });
    }
  }
  return named;
}

function range(unit: string, low: number | undefined, high: number | undefined): string {
  const from = low === undefined || low === -Number.MAX_SAFE_INTEGER ? undefined : low;
  const to = high === undefined || high === Number.MAX_SAFE_INTEGER ? undefined : high;
  if (from === undefined && to === undefined) return '';
  if (to === undefined) return ` ≥ ${from}${unit}`;
  return from === undefined ? ` ≤ ${to}${unit}` : ` ${from}–${to}${unit}`;
}

function objectType(json: Json): string {
  const required = new Set(json.required);
  const fields = Object.entries(json.properties ?? {}).map(([key, value]) => `${key}${required.has(key) ? '' : '?'}: ${typeOf(value)}`);
  if (fields.length > 0) return `{ ${fields.join(', ')} }`;
  return typeof json.additionalProperties === 'object' ? `{ [key]: ${typeOf(json.additionalProperties)} }` : '{}';
}

function typeOf(json: Json): string {
  if (json.$ref !== undefined) {
    const name = json.$ref.split('/').at(-1)!;
    return `[${name}](#${name.toLowerCase()})`;
  }
  const union = json.anyOf ?? json.oneOf ?? json.enum?.map((value) => ({ const: value }));
  if (union !== undefined) return union.map(typeOf).join(' | ');
  if (json.const !== undefined) return `"${json.const}"`;
  if (json.type === 'array') {
    const item = typeOf(json.items ?? {});
    return `${/^[a-z"].* /.test(item) ? `(${item})` : item}[]${range(' items', json.minItems, json.maxItems)}`;
  }
  if (json.type === 'object') return objectType(json);
  if (json.type === 'string') return `string${range(' characters', json.minLength, json.maxLength)}`;
  if (json.type === 'number' && json.exclusiveMinimum !== undefined) return `number > ${json.exclusiveMinimum}`;
  if (json.type === 'integer' && json.exclusiveMinimum !== undefined) return `integer${range('', json.exclusiveMinimum + 1, json.maximum)}`;
  if (json.type === 'number' || json.type === 'integer') return `${json.type}${range('', json.minimum, json.maximum)}`;
  return [json.type ?? 'any JSON'].flat().join(' | ');
}

/** The JSON Schema of one schema, with the other named ones left as references. */
function jsonSchema(schema: z.ZodType, shapes: ReadonlyMap<string, Named>): Json {
  const registry = z.registry<{ id?: string }>();
  for (const { name, schema: shape } of shapes.values()) if (shape !== schema) registry.add(shape, { id: name });
  return z.toJSONSchema(schema, { metadata: registry, io: 'input' }) as Json;
}

function fieldTable(json: Json, docs: ReadonlyMap<string, string>): string {
  const required = new Set(json.required);
  const rows = Object.entries(json.properties ?? {}).map(([field, value]) => {
    const type = typeOf(value).replaceAll('|', '\\|');
    return `| \`${field}\`${required.has(field) ? '' : ' (optional)'} | ${type} | ${docs.get(field) ?? ''} |`;
  });
  return rows.length === 0 ? 'No fields.' : ['| field | type | meaning |', '|---|---|---|', ...rows].join('\n');
}

function section(title: string, entry: Named, shapes: ReadonlyMap<string, Named>): string {
  const json = jsonSchema(entry.schema, shapes);
  const body = json.properties === undefined ? `Type: ${typeOf(json)}` : fieldTable(json, entry.fields);
  return [title, ...(entry.doc === '' ? [] : [entry.doc]), body].join('\n\n');
}

/** The whole page, as Markdown. */
export function eventReference(): string {
  const named = namedSchemas();
  const types = Object.entries<z.ZodType>(catalogue.CATALOGUE);
  const eventSchemas = new Set(types.map(([, schema]) => schema));
  const shapes = new Map([...named].filter(([, { schema }]) => !eventSchemas.has(schema)));
  const events = types.map(([type, schema]) => {
    const entry = [...named.values()].find((one) => one.schema === schema) ?? { name: type, schema, doc: '', fields: new Map() };
    return section(`### \`${type}\` v${catalogue.EVENT_VERSION[type as catalogue.EventType]}`, entry, shapes);
  });
  const envelopeShape = shapes.get('Envelope')!;
  shapes.delete('Envelope');
  return [
    HEAD,
    section('## Envelope', envelopeShape, shapes),
    '## Events',
    ...events,
    '## Shapes',
    ...[...shapes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((entry) => section(`### ${entry.name}`, entry, shapes)),
    '## Errors\n\nA code keeps its meaning once it is released. The status is the one that a server answers with.',
    ['| code | status |', '|---|---|', ...Object.entries(errors.ERROR_STATUS).map(([code, status]) => `| \`${code}\` | ${status} |`)].join(
      '\n',
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

if (import.meta.main) {
  const page = eventReference();
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error('docs/events.md is stale: run "pnpm docs:events" and commit the page.');
    process.exitCode = 1;
  }
}
