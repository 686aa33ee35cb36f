type Keywords = Readonly<Record<string, unknown>>;

/** What else than `properties` may name the fields of an object. */
const OTHER_NAMES = ['additionalProperties', 'patternProperties', 'unevaluatedProperties', 'allOf', 'anyOf', 'oneOf', 'if', '$ref'];

/**
 * The first field of an input that its JSON Schema does not name, where the schema does name the fields: JSON Schema lets any other pass,
 * and the code of a tool leaves it out.
 * @returns a path such as `lines.0.note`, with the names that there are; null when all fields are known
 */
export function unknownField(schema: unknown, input: unknown): { path: string; known: readonly string[] } | null {
  if (typeof schema !== 'object' || schema === null || typeof input !== 'object' || input === null) return null;
  const { properties, items } = schema as Keywords;
  if (Array.isArray(input)) return firstOf(input.map((item: unknown, i) => within(String(i), unknownField(items, item))));
  if (typeof properties !== 'object' || properties === null || OTHER_NAMES.some((name) => name in schema)) return null;
  const known = Object.keys(properties);
  const fields = Object.entries(input).map(([field, value]) =>
    known.includes(field) ? within(field, unknownField((properties as Keywords)[field], value)) : { path: field, known },
  );
  return firstOf(fields);
}

type Unknown = ReturnType<typeof unknownField>;

function within(field: string, found: Unknown): Unknown {
  return found === null ? null : { ...found, path: `${field}.${found.path}` };
}

function firstOf(found: readonly Unknown[]): Unknown {
  return found.find((one) => one !== null) ?? null;
}
