import { CATALOGUE, MAX_EVENT_BYTES, WriteClass, type EventType, type NewEvent } from '@dreamfold/events';
import fc from 'fast-check';
import { z } from 'zod';
import { anyJson, anyKey, anyLine, anyNumber, anyText, ownKeys, pick } from './any-json.ts';

// Appends of every event type, each field of the type from its schema: valid ones, and ones that miss by a little.

/** The parts of a JSON Schema that the catalogue uses. */
interface Json {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Json[];
  oneOf?: Json[];
  properties?: Record<string, Json>;
  required?: string[];
  additionalProperties?: Json | boolean;
  items?: Json;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
}

const SAMPLES = ['session/sesn_1#1', 'criterion-1', 'a', 'a'.repeat(64), 'a'.repeat(65), 'dream/drm_x#12', 'memory/m#0', ''];

function valueOf(json: Json): fc.Arbitrary<unknown> {
  const union = json.anyOf ?? json.oneOf;
  if (union !== undefined) return fc.oneof(...union.map(valueOf));
  if (json.const !== undefined) return fc.constant(json.const);
  if (json.enum !== undefined) return pick(json.enum);
  switch (json.type) {
    case 'string':
      return json.pattern === undefined ? textOf(json) : pick(SAMPLES);
    case 'number':
    case 'integer':
      return numberOf(json);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return arrayOf(json);
    case 'object':
      return objectOf(json);
    default:
      return anyJson;
  }
}

function textOf({ minLength, maxLength }: Json): fc.Arbitrary<string> {
  return anyText({ ...(minLength === undefined ? {} : { min: minLength }), ...(maxLength === undefined ? {} : { max: maxLength }) });
}

/** Mostly within the limits: an event with a dozen numbers would never be taken. */
function numberOf(json: Json): fc.Arbitrary<number> {
  const low = json.exclusiveMinimum ?? json.minimum ?? -1;
  const high = json.maximum ?? Number.MAX_SAFE_INTEGER;
  const inside =
    json.type === 'integer' ? [low + 1, high, Math.min(high, 7)] : [low + 0.25, high, Math.min(high, 5e-324), Math.min(high, 0.1)];
  return fc.oneof(
    { weight: 150, arbitrary: pick(inside) },
    { weight: 1, arbitrary: anyNumber },
    { weight: 1, arbitrary: pick([low, -0, high + 1]) },
  );
}

function arrayOf({ items = {}, minItems = 0 }: Json): fc.Arbitrary<unknown[]> {
  return fc.array(valueOf(items), { minLength: minItems, maxLength: Math.max(minItems, 3) });
}

function objectOf({ properties = {}, required = [], additionalProperties }: Json): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(properties).map(([key, value]) => {
    const present = valueOf(value).map((one): [string, unknown][] => [[key, one]]);
    if (required.includes(key)) return fc.oneof({ weight: 60, arbitrary: present }, { weight: 1, arbitrary: fc.constant([]) });
    return fc.oneof({ weight: 1, arbitrary: present }, { weight: 1, arbitrary: fc.constant([]) });
  });
  const ofRecord = typeof additionalProperties === 'object' && Object.keys(properties).length === 0 ? additionalProperties : null;
  // A field that the schema does not name is kept where the schema lets it pass.
  const more = fc.tuple(anyKey, ofRecord === null ? anyJson : valueOf(ofRecord));
  const rest = fc
    .array(more, { maxLength: ofRecord === null ? 1 : 4 })
    .filter((extra) => extra.every(([key]) => !Object.hasOwn(properties, key)));
  const seldom = ofRecord === null ? fc.oneof({ weight: 7, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: rest }) : rest;
  return fc.tuple(fc.tuple(...fields), seldom).map(([named, extra]) => ownKeys([...named.flat(), ...extra]));
}

const TYPES = Object.keys(CATALOGUE) as EventType[];

/** A text that takes its payload to so many bytes more than the largest, or fewer. */
function messageOfBytes(off: number, unit: string): NewEvent {
  const data = (text: string): unknown => ({ content: [{ type: 'text', text }] });
  const room = MAX_EVENT_BYTES + off - Buffer.byteLength(JSON.stringify(data('')));
  const bytes = Buffer.byteLength(JSON.stringify(unit)) - 2;
  const text = unit.repeat(Math.floor(room / bytes)) + 'x'.repeat(room % bytes);
  return { type: 'user.message', data: data(text), class: 'open', actor: 'user' };
}

const event: fc.Arbitrary<NewEvent> = fc
  .tuple(
    fc.oneof(...TYPES.map((type) => valueOf(z.toJSONSchema(CATALOGUE[type], { io: 'input' }) as Json).map((data) => ({ type, data })))),
    fc.oneof({ weight: 12, arbitrary: fc.constant<WriteClass>('open') }, pick(WriteClass.options)),
    fc.oneof({ weight: 2, arbitrary: pick(['user', 'sthr_1', 'person:é']) }, anyLine({ min: 1, max: 200 })),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      fc.constant(null),
      pick([1, 0, -0, 2 ** 53 - 1, 2 ** 53, 0.5]),
      anyLine({ min: 1, max: 200 }),
    ),
  )
  .map(([{ type, data }, writeClass, actor, causation]) => ({
    ...{ type, data, class: writeClass, actor },
    ...(causation === undefined ? {} : { causation }),
  }));

const large = fc
  .tuple(pick([-1, 0, 0, 1]), pick(['x', 'é', '漢', '\u{1f4a5}', '\u0000', '\ud800', '"']))
  .map(([off, unit]) => messageOfBytes(off, unit));

export interface AnyAppend {
  stream: string;
  /** Comes after a number that makes it the only one. */
  idEnd: string;
  correlation: string | null;
  time: number;
  events: NewEvent[];
}

const KINDS = ['session', 'memory', 'dream', 'agent', 'log'];
const stream = fc
  .tuple(
    pick(KINDS),
    fc.oneof(
      { weight: 20, arbitrary: pick(['a', 'b', 'c_d', '-', '__proto__', 'constructor']) },
      pick([112, 114, 115, 200]).map((n) => 'x'.repeat(n)),
      anyLine({ min: 1, max: 5 }),
    ),
  )
  .map(([kind, name]) => `${kind}/${name}`);

/** An append of one to three events of any types to a stream that others may share. */
export const anyAppend: fc.Arbitrary<AnyAppend> = fc.record({
  stream,
  idEnd: fc.oneof({ weight: 6, arbitrary: fc.constant('') }, pick(['-1', '-2', '__proto__']), anyLine({ min: 1, max: 195 })),
  correlation: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, anyLine({ min: 1, max: 200 })),
  time: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, pick([0, -0, -1, 0.5, 8_640_000_000_000_000, 8_640_000_000_000_001])),
  events: fc.oneof(
    { weight: 400, arbitrary: fc.array(event, { minLength: 1, maxLength: 3, size: 'small' }) },
    large.map((one) => [one]),
  ),
});
