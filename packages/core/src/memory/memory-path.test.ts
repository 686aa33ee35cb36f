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

it('refuses a folder of another memory, and paths that differ by case only', () => {
  expect(codeOf(() => checkPathsApart(['/a/b', '/a/c', '/ab']))).toBe('ok');
  expect(codeOf(() => checkPathsApart(['/a', '/a/b/c']))).toBe('path_conflict');
  expect(codeOf(() => checkPathsApart(['/a/b/c', '/A']))).toBe('path_conflict');
  expect(codeOf(() => checkPathsApart(['/Notes.md', '/notes.md']))).toBe('path_conflict');
  expect(codeOf(() => checkPathsApart(['/straße', '/STRASSE']))).toBe('path_conflict');
});
