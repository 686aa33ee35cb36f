/** An event may nest 64 deep, and a call's input stands inside one. */
export const MAX_JSON_DEPTH = 60;

/** Whether JSON holds a value as it is, so that nothing is lost when it is written and read: no date, no map, no class. */
export function isPlainJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return true;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= MAX_JSON_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isPlainJson(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // A field without a value is no field to JSON, nor to who reads it.
  return Object.entries(value).every(([key, child]) => key.isWellFormed() && (child === undefined || isPlainJson(child, depth + 1)));
}
