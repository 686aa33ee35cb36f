import { DreamfoldError, nearest, type FeedbackRecorded, type JsonSchema } from '@dreamfold/events';

type RightAnswer = NonNullable<FeedbackRecorded['right_answer']>;
type Schema = Readonly<Record<string, unknown>>;

const NAMED_VALUES = 20;

/**
 * That a right answer is one that the tool could have been called with, field by field: nobody could learn from any other.
 * Where the tool does not say which fields it has, or says that it takes others too, an unknown one is not refused.
 * @param schema of the tool's input, as the session's snapshot has it; undefined when it is not known
 * @throws DreamfoldError invalid_argument
 */
export function checkRightAnswer(tool: string, schema: JsonSchema | undefined, answer: RightAnswer): void {
  const fields = Object.keys(answer);
  if (fields.length === 0) {
    throw new DreamfoldError('invalid_argument', 'The right answer is empty', {
      path: 'right_answer',
      value: answer,
      remedy: `Name a field of ${tool} with the value that would have been right, or leave the right answer out.`,
    });
  }
  const properties = schema?.['properties'];
  if (!isObject(properties)) return;
  const others = schema?.['additionalProperties'] ?? false;
  for (const field of fields) {
    if (!Object.hasOwn(properties, field) && others === false) throw unknownField(tool, field, Object.keys(properties));
    const property = Object.hasOwn(properties, field) ? properties[field] : others;
    const value = answer[field];
    if (!takes(property, value)) throw wrongValue({ tool, field, value }, valuesOf(property));
  }
}

function unknownField(tool: string, field: string, known: readonly string[]): DreamfoldError {
  const near = nearest(field, known);
  const has = known.length === 0 ? 'It has no fields.' : `Its fields: ${known.join(', ')}.`;
  return new DreamfoldError('invalid_argument', `${tool} has no field ${JSON.stringify(field)}`, {
    path: `right_answer/${field}`,
    value: field,
    remedy: near === undefined ? has : `Did you mean ${JSON.stringify(near)}? ${has}`,
  });
}

function wrongValue({ tool, field, value }: { tool: string; field: string; value: unknown }, allowed: readonly unknown[]): DreamfoldError {
  const texts = allowed.filter((one) => typeof one === 'string');
  const near = typeof value === 'string' ? nearest(value, texts) : undefined;
  const named = allowed.slice(0, NAMED_VALUES).map((one) => JSON.stringify(one));
  const more = allowed.length > named.length ? `, and ${allowed.length - named.length} more` : '';
  const takesThese =
    named.length === 0 ? 'Give a value of the type that the field has.' : `Give one of its values: ${named.join(', ')}${more}.`;
  return new DreamfoldError('invalid_argument', `${tool} takes no ${field} ${JSON.stringify(value)}`, {
    path: `right_answer/${field}`,
    value,
    remedy: near === undefined ? takesThese : `Did you mean ${JSON.stringify(near)}? ${takesThese}`,
  });
}

/** Whether a property takes a plain value. What the schema says in a way that is not known here counts as a yes. */
function takes(schema: unknown, value: unknown): boolean {
  if (schema === false) return false;
  if (!isObject(schema)) return true;
  const anyOf = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(anyOf) && !anyOf.some((one) => takes(one, value))) return false;
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return false;
  if (Object.hasOwn(schema, 'const') && schema['const'] !== value) return false;
  const types = [schema['type'] ?? []].flat();
  return types.length === 0 || types.some((type) => isOfType(type, value));
}

function isOfType(type: unknown, value: unknown): boolean {
  return type === 'integer' ? Number.isInteger(value) : type === typeof value;
}

/** The values that a property names. */
function valuesOf(schema: unknown): readonly unknown[] {
  if (!isObject(schema)) return [];
  const anyOf = schema['anyOf'] ?? schema['oneOf'];
  const own = Array.isArray(schema['enum']) ? schema['enum'] : Object.hasOwn(schema, 'const') ? [schema['const']] : [];
  return [...own, ...(Array.isArray(anyOf) ? anyOf.flatMap(valuesOf) : [])];
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
