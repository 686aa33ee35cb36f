import { expect, test } from 'vitest';
import { DreamfoldError, ERROR_STATUS, isDreamfoldError } from './index.ts';

test('an error carries code, sentence, remedy, place and value, and survives JSON', () => {
  const cause = new Error('EIO');
  const error = new DreamfoldError('store_corrupt', 'The log does not verify', { remedy: 'Restore it.', path: 'a.db', value: 12, cause });
  expect(error).toMatchObject({ name: 'DreamfoldError', message: 'The log does not verify', status: 500, cause });
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    code: 'store_corrupt',
    message: 'The log does not verify',
    remedy: 'Restore it.',
    path: 'a.db',
    value: 12,
  });
});

test('what is not given is left out', () => {
  const error = new DreamfoldError('not_found', 'No such session', { remedy: 'List them.' });
  expect(Object.keys(error.toJSON())).toEqual(['code', 'message', 'remedy']);
  expect('cause' in error).toBe(false);
});

test('isDreamfoldError knows the class by name, so that two copies of the package agree', () => {
  const error = new DreamfoldError('fenced', 'A newer owner writes', { remedy: 'Stop.' });
  const copy = Object.assign(new Error('A newer owner writes'), { name: 'DreamfoldError', code: 'fenced', remedy: 'Stop.' });
  for (const one of [error, copy]) {
    expect(isDreamfoldError(one)).toBe(true);
    expect(isDreamfoldError(one, 'fenced')).toBe(true);
    expect(isDreamfoldError(one, 'not_found')).toBe(false);
  }
  expect(isDreamfoldError(new Error('fenced'), 'fenced')).toBe(false);
  expect(isDreamfoldError({ name: 'DreamfoldError', code: 'fenced' })).toBe(false);
  for (const fake of [{}, { code: 5, remedy: 'x' }, { code: '\u001b[31m', remedy: 'x' }, { code: 'fenced', remedy: {} }]) {
    expect(isDreamfoldError(Object.assign(new Error('x'), { name: 'DreamfoldError' }, fake))).toBe(false);
  }
  expect(isDreamfoldError(undefined)).toBe(false);
});

test('every code is snake_case and has an HTTP error status', () => {
  for (const [code, status] of Object.entries(ERROR_STATUS)) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  }
});

test('what is long is cut, and what JSON cannot hold is told in words', () => {
  const long = 'x'.repeat(100_000);
  const error = new DreamfoldError('not_found', `There is no session ${long}, look again`, {
    remedy: 'List them.',
    path: long,
    value: [long],
  });
  expect(error.message).toMatch(/^There is no session x+ … x+, look again$/);
  expect(JSON.stringify(error).length).toBeLessThan(2500);
  expect(new DreamfoldError('not_found', 'x', { remedy: 'y', value: 10n }).toJSON().value).toBe('10');
});

test('an error comes into being, whatever it is made of', () => {
  const odd = Symbol('odd') as never;
  expect(new DreamfoldError('not_found', odd, odd)).toMatchObject({ message: 'a symbol', remedy: 'See the message.' });
  expect(new DreamfoldError('not_found', 'x', null as never).remedy).toBe('See the message.');
});
