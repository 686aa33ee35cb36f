import { DreamfoldError } from '../errors.ts';

export interface JsonLimits {
  maxBytes: number;
  maxDepth: number;
  maxKeys: number;
  /** Lets NUL and halves of surrogate pairs pass. */
  anyText?: boolean;
  /**
   * Lets `__proto__`, `constructor` and `prototype` pass as keys: for what a user, a tool or a model has supplied, and is only kept and
   * given back. JSON.parse, spread and Object.fromEntries make own keys of them; assigning to `object[key]` does not.
   */
  anyKey?: boolean;
}

export const JSON_LIMITS: JsonLimits = { maxBytes: 4 * 1024 * 1024, maxDepth: 64, maxKeys: 10_000 };

/** Of what a user, a tool or a model has supplied. */
export const DATA_LIMITS: JsonLimits = { ...JSON_LIMITS, anyKey: true };

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses text from outside: size, depth, number of keys, forbidden and repeated keys and broken text are named errors.
 * @param where names the source in errors, for example `orders.jsonl:12`
 * @throws DreamfoldError invalid_json, payload_too_large, json_too_deep, json_too_many_keys, forbidden_key, invalid_text
 */
export function parseJson(text: string, where: string, limits: JsonLimits = JSON_LIMITS): unknown {
  if (text.length > limits.maxBytes) {
    throw new DreamfoldError('payload_too_large', `${where} is ${text.length} characters long; the limit is ${limits.maxBytes}`, {
      path: where,
      remedy: 'Split it, or pass the large part as a blob.',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DreamfoldError('invalid_json', `${where} is not JSON: ${(cause as Error).message}`, {
      path: where,
      value: text.slice(0, 80),
      remedy: 'Correct the JSON at the position named.',
      cause,
    });
  }
  checkJson(value, where, limits);
  checkKeysOnce(text, where);
  return value;
}

// The quotes of a string, and every mark that gives JSON its structure.
const JSON_TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:]/g;

/** Of a key that stands twice, JSON.parse keeps the last value and another reader the first: neither is trusted. */
function checkKeysOnce(validJson: string, where: string): void {
  const open: Set<string>[] = [];
  let text = '';
  for (const match of validJson.matchAll(JSON_TOKEN)) {
    const token = match[0];
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ':') text = token;
    else {
      const keys = open.at(-1)!;
      const key = JSON.parse(text) as string;
      if (keys.has(key)) {
        throw new DreamfoldError('forbidden_key', `${where} names the key ${text} twice in one object, at character ${match.index}`, {
          path: where,
          value: key,
          remedy: 'Keep one of the two.',
        });
      }
      keys.add(key);
    }
  }
}

/**
 * Checks a parsed value from outside. Iterative, so that depth cannot overflow the stack.
 * @throws DreamfoldError json_too_deep, json_too_many_keys, forbidden_key, invalid_text, with a JSON pointer as path
 */
export function checkJson(value: unknown, where: string, limits: JsonLimits = JSON_LIMITS): void {
  let keys = 0;
  const stack: { value: unknown; pointer: string; depth: number }[] = [{ value, pointer: '', depth: 0 }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { value: v, pointer, depth } = item;
    if (typeof v === 'string' && limits.anyText !== true) checkText(v, `${where}${pointer}`);
    if (typeof v !== 'object' || v === null) continue;
    if (depth >= limits.maxDepth) {
      throw new DreamfoldError('json_too_deep', `${where} is nested more than ${limits.maxDepth} deep`, {
        path: `${where}${pointer.slice(0, 120)}`,
        remedy: 'Flatten it.',
      });
    }
    for (const [key, child] of Object.entries(v)) {
      keys += 1;
      if (keys > limits.maxKeys) {
        throw new DreamfoldError('json_too_many_keys', `${where} has more than ${limits.maxKeys} keys and items`, {
          path: where,
          remedy: 'Split it into smaller documents.',
        });
      }
      const childPointer = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (!Array.isArray(v)) {
        if (limits.anyKey !== true && FORBIDDEN_KEYS.has(key)) {
          throw new DreamfoldError('forbidden_key', `${where} holds the key ${JSON.stringify(key)}`, {
            path: `${where}${childPointer}`,
            value: key,
            remedy: 'Rename the key: it would change the prototype of the object that it is copied into.',
          });
        }
        if (limits.anyText !== true) checkText(key, `${where}${childPointer}`);
      }
      stack.push({ value: child, pointer: childPointer, depth: depth + 1 });
    }
  }
}

/** @throws DreamfoldError invalid_text for NUL and lone surrogates, which not every store can keep */
export function checkText(text: string, where: string): void {
  if (text.isWellFormed() && !text.includes('\u0000')) return;
  throw new DreamfoldError('invalid_text', `${where} holds a NUL or half of a surrogate pair`, {
    path: where,
    value: JSON.stringify(text.slice(0, 40)),
    remedy: 'Send valid UTF-8 without NUL.',
  });
}
