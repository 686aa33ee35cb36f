import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readRequests } from './request-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'requests-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(content: string | Uint8Array): string {
  const path = join(directory, 'requests.csv');
  writeFileSync(path, content);
  return path;
}

test('reads text and category wherever they stand, quoted or not', () => {
  const content = '\uFEFFid,category,text\r\n1,billing,"Charged twice, or ""thrice""\nWhy?"\r\n\r\n2,pin?, Blocked \r\n';
  expect(readRequests(file(content))).toEqual([
    { text: 'Charged twice, or "thrice"\nWhy?', queue: 'billing' },
    { text: 'Blocked', queue: 'pin?' },
  ]);
});

test.each([
  ['', /requests\.csv is empty\. Its first row has to name the columns text and category/],
  ['hello\nworld\n', /has the columns "hello"\. Its first row/],
  ['text,category\na,b\nc\n', /is not CSV: .*line 3.*Quote fields/],
  ['text,category\n"a,b\n', /is not CSV/],
  ['text,category\na,b\n\n ,b\n', /requests\.csv:4: the text is empty/],
  ['text,category\na,\n', /requests\.csv:2: the category is empty/],
  [Uint8Array.of(0x74, 0xff, 0xfe), /is not UTF-8 text/],
])('refuses %j', (content, why) => {
  expect(() => readRequests(file(content))).toThrow(why);
});

test.each(['nowhere.csv', '.'])('refuses %s, which is no file', (name) => {
  expect(() => readRequests(join(directory, name))).toThrow(/can't be read \(E\w+\)/);
});
