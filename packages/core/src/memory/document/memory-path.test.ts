import { isDreamfoldError } from '@dreamfold/events';
import { expect, it } from 'vitest';
import { checkMemoryPath, checkPathsApart } from './memory-path.ts';

function codeOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (isDreamfoldError(error)) return error.code;
    throw error;
  }
  return 'ok';
}

it.each(['/a', '/a.md', '/notes/2026/Straße.md', '/%41', `/${'a/'.repeat(19)}b`, `/${'x'.repeat(255)}`])('allows %s', (path) => {
  expect(codeOf(() => checkMemoryPath(path))).toBe('ok');
});

const invalid = [
  '',
  'a',
  '../x',
  '/',
  '/a//b',
  '/a/',
  '/./a',
  '/a/..',
  '/%2e%2e/a',
  '/%2E./a',
  '/a\\b',
  '/a\u0000',
  '/a\n',
  '/a\u200b',
  '/a\u202e',
  '/a\u2028',
  '/e\u0301',
  '/\ud800',
];
it.each([...invalid, `/${'x'.repeat(300)}`, `/${'a/'.repeat(20)}b`, '/abcdefghi'.repeat(103)])('refuses %j', (path) => {
  expect(codeOf(() => checkMemoryPath(path))).toBe('invalid_path');
});

it.each([
  [['/a/b', '/a/c', '/ab'], 'ok'],
  [['/a', '/a/b/c'], 'path_conflict'],
  [['/a/b/c', '/A'], 'path_conflict'],
  [['/Notes.md', '/notes.md'], 'path_conflict'],
  [['/straße', '/STRASSE'], 'path_conflict'],
])('tells whether %j stand apart, whichever came last', (paths, code) => {
  for (const last of paths) expect(codeOf(() => checkPathsApart(paths, [last]))).toBe(code);
  expect(codeOf(() => checkPathsApart(paths, []))).toBe('ok');
});
