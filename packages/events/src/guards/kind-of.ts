const MAX_SHOWN_CHARS = 60;

/** What a value is, in a few words; never the whole of it. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= MAX_SHOWN_CHARS ? JSON.stringify(value) : `a text of ${value.length} characters`;
    case 'object':
      return value === null ? 'null' : kindOfObject(value);
    case 'function':
      return isClass(value) ? 'a class' : 'a function';
    case 'symbol':
      return 'a symbol';
    default:
      return String(value);
  }
}

function kindOfObject(value: object): string {
  try {
    if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
    const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
    return kind === 'Object' ? 'an object' : kind.slice(0, MAX_SHOWN_CHARS);
  } catch {
    return 'an object that cannot be read';
  }
}

/** A class is a function to `typeof`, but can't be called. */
export function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
