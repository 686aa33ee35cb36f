import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JSON_LIMITS, checkJson, checkText, parseJson, type ErrorCode } from '../index.ts';

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

const BAD: { name: string; json: string; code: ErrorCode; path: string }[] = [
  { name: 'nothing', json: '', code: 'invalid_json', path: 'in' },
  { name: 'half a document', json: '{"a": [1, 2', code: 'invalid_json', path: 'in' },
  { name: 'JSON with a comment', json: '{} // done', code: 'invalid_json', path: 'in' },
  { name: 'a bomb of arrays', json: nested(100_000), code: 'json_too_deep', path: `in${'/0'.repeat(60)}` },
  { name: 'one level too many', json: nested(JSON_LIMITS.maxDepth + 1), code: 'json_too_deep', path: `in${'/0'.repeat(60)}` },
  { name: 'too many items', json: JSON.stringify(Array(10_001).fill(0)), code: 'json_too_many_keys', path: 'in' },
  {
    name: 'too many keys in all',
    json: JSON.stringify(Array.from({ length: 4_000 }, () => ({ a: 1, b: 2 }))),
    code: 'json_too_many_keys',
    path: 'in',
  },
  { name: 'a key __proto__', json: '{"a":[{"__proto__":{"admin":true}}]}', code: 'forbidden_key', path: 'in/a/0/__proto__' },
  { name: 'a key __proto__ in escapes', json: '{"\\u005f_proto__":1}', code: 'forbidden_key', path: 'in/__proto__' },
  { name: 'a key constructor', json: '{"value":{"constructor":{"prototype":{}}}}', code: 'forbidden_key', path: 'in/value/constructor' },
  { name: 'a key prototype', json: '{"a/b":{"c~d":{"prototype":1}}}', code: 'forbidden_key', path: 'in/a~1b/c~0d/prototype' },
  { name: 'a key twice', json: '{"a":{"x":1,"y":[{"x":1}],"x":2}}', code: 'forbidden_key', path: 'in' },
  { name: 'a key twice, once in escapes', json: '{"a":1,"\\u0061":2}', code: 'forbidden_key', path: 'in' },
  { name: 'a NUL', json: '{"text":"a\\u0000b"}', code: 'invalid_text', path: 'in/text' },
  { name: 'half of a surrogate pair', json: '["\\ud83d"]', code: 'invalid_text', path: 'in/0' },
  { name: 'a NUL in a key', json: '{"\\u0000":1}', code: 'invalid_text', path: 'in/\u0000' },
  { name: 'a text over the limit', json: `"${'x'.repeat(JSON_LIMITS.maxBytes)}"`, code: 'payload_too_large', path: 'in' },
];

describe('parseJson refuses', () => {
  test.each(BAD)('$name with $code', ({ json, code, path }) => {
    expect(() => parseJson(json, 'in')).toThrow(expect.objectContaining({ code, path, remedy: expect.stringMatching(/\.$/) }));
  });
});

test('what stands at the limits passes', () => {
  expect(parseJson(nested(JSON_LIMITS.maxDepth), 'in')).toBeInstanceOf(Array);
  expect(parseJson(JSON.stringify(Array(10_000).fill(0)), 'in')).toHaveLength(10_000);
  expect(parseJson('{"__proto":1,"Constructor":2,"constructor ":3}', 'in')).toEqual({ __proto: 1, Constructor: 2, 'constructor ': 3 });
  expect(parseJson('"__proto__"', 'in')).toBe('__proto__');
});

test('marks inside strings are not structure', () => {
  const value = { a: '{"a":1,"a":2}', 'a:': ['"a":', '\\'], '\\"': [{ a: 1 }, { a: 2 }] };
  expect(parseJson(JSON.stringify(value), 'in')).toEqual(value);
});

test('a limit of the caller counts', () => {
  expect(() => parseJson('[[]]', 'in', { ...JSON_LIMITS, maxDepth: 1 })).toThrow(expect.objectContaining({ code: 'json_too_deep' }));
});

test('any key passes where the caller keeps what it is given, and stays an own key', () => {
  const json = '{"__proto__":{"constructor":1},"prototype":[{"__proto__":null}]}';
  const value = parseJson(json, 'in', { ...JSON_LIMITS, anyKey: true });
  expect(JSON.stringify(value)).toBe(json);
  expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
  expect(() => parseJson('{"__proto__":1,"__proto__":2}', 'in', { ...JSON_LIMITS, anyKey: true })).toThrow(
    expect.objectContaining({ code: 'forbidden_key' }),
  );
});

test('every ordinary document passes unchanged', () => {
  const key = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((k) => !['__proto__', 'constructor', 'prototype'].includes(k));
  const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null));
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('document')), fc.dictionary(key, tie('document'), { noNullPrototype: true })),
  }));
  fc.assert(
    fc.property(document, (value) => {
      expect(parseJson(JSON.stringify(value), 'in')).toEqual(value);
    }),
  );
});

test('checkJson guards values that never were text', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  expect(() => checkJson(cycle, 'in')).toThrow(expect.objectContaining({ code: 'json_too_deep' }));
});

test('checkText names where the text stands and shows it escaped', () => {
  expect(() => checkText('a\u0000', 'argument 1')).toThrow(
    expect.objectContaining({ code: 'invalid_text', path: 'argument 1', value: '"a\\u0000"' }),
  );
  expect(() => checkText('grüße 😀', 'argument 1')).not.toThrow();
});
