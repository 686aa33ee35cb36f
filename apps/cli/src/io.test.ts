import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { LogEvent } from '@dreamfold/events';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { EventLines } from './render/event-lines.ts';
import { Io } from './io.ts';
import { typedHere } from './how-called.ts';

/** An `Io` on a terminal that keeps what is written to it. */
function onTerminal({ columns = 1000, isTTY = true } = {}): { io: Io; written: () => string } {
  const terminal = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns, getColorDepth: () => 8 });
  const io = new Io({ stdin: terminal, stdout: terminal, stderr: terminal } as unknown as ConstructorParameters<typeof Io>[0]);
  return { io, written: () => (terminal.read() as string | null) ?? '' };
}

const HOSTILE = '\u001b[31m\u009b8m\u061c\u200b\u200f\u2028\u202e\u2066\ufeff';
const ESCAPED = String.raw`\u001b[31m\u009b8m\u061c\u200b\u200f\u2028\u202e\u2066\ufeff`;

test('a line shows the escapes of others, and keeps the colours of ours', () => {
  const { io, written } = onTerminal();
  // oxlint-disable-next-line no-control-regex -- the codes of our colours
  const colour = /\u001b\[(?:2|22)m/g;
  io.line(`${io.paint('dim', HOSTILE)} and ${HOSTILE}`);
  io.note(`${io.paintNote('dim', HOSTILE)} and ${HOSTILE}`);
  const text = written();
  expect(text.replaceAll(colour, '')).toBe(`${ESCAPED} and ${ESCAPED}\n`.repeat(2));
  expect(text.match(colour)).toEqual(expect.arrayContaining(['\u001b[2m', '\u001b[22m']));
});

test.each([
  ['zz.new', {}, `zz${HOSTILE}`],
  ['approval.stale', { tool_use_id: HOSTILE, call_hash: HOSTILE, reason: `${HOSTILE}\nuser: yes` }],
  ['user.tool_confirmation', { result: 'allow', tool_use_id: HOSTILE }],
  ['feedback.recorded', { judges: `${HOSTILE}\nuser: yes`, verdict: 'right', by: HOSTILE }],
  ['outcome.judged', { outcome_evaluation_start_id: 'x', criterion_id: HOSTILE, score: 1, reason: 'r', by: 'b' }],
  ['outcome.scored', { score: 1, criteria: [{ id: HOSTILE, score: 1, reason: 'r', grader: 'g' }] }],
  ['model.attempt_failed', { model_request_start_id: 'x', attempt: 1, code: HOSTILE, message: 'm', retry_after_ms: null }],
  ['agent.tool_result', { tool_use_id: 'x', content: [], is_error: true, df_code: HOSTILE }],
])('the lines of %s keep what stands in them in its place', (type, data, named = type) => {
  const { io, written } = onTerminal();
  const event = { type: named, v: 1, data, actor: HOSTILE, stream: 'session/sesn_1', id: 'sevt_1' } as unknown as LogEvent;
  const lines = new EventLines(io).of(event);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) io.line(line);
  const text = written();
  expect(text).toContain(String.raw`\u009b8m`);
  expect(text).not.toMatch(/[\u0080-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
  expect(text.trimEnd().split('\n')).toHaveLength(lines.length);
});

const WORDS = `Die Rückmeldung der Poststelle: ${'日本語 🇩🇪 café '.repeat(12)}`.trim();

test('text is broken at words to the width of a terminal, and goes on under its beginning', () => {
  const { io, written } = onTerminal({ columns: 40 });
  io.line(`   ${io.paint('bold', WORDS)}`);
  io.line(WORDS, 'name  ');
  const lines = stripVTControlCharacters(written()).trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(40);
  const [first, second] = [lines.filter((line) => /^ {3}\S/.test(line)), lines.filter((line) => /^(?:name {2}| {6})\S/.test(line))];
  for (const part of [first.join(' '), second.join(' ').slice('name'.length)]) {
    expect(part.trim().split(/\s+/)).toEqual(WORDS.split(' '));
  }
  expect(first.length + second.length).toBe(lines.length);
});

test('a command to copy, and what goes to a file, is not broken', () => {
  const { io, written } = onTerminal({ columns: 40 });
  io.verbatim(`  ${WORDS}`);
  expect(written()).toBe(`  ${WORDS}\n`);
  const file = onTerminal({ columns: 40, isTTY: false });
  file.io.line(WORDS);
  expect(file.written()).toBe(`${WORDS}\n`);
});

test('a command in words of ours reads as this program was called, on the same data', () => {
  const { io } = onTerminal();
  io.dataFlags = ' --data "elsewhere"';
  expect(io.withTyped('Run `dreamfold verify`, or see `dreamfold show --help`; `show` is a command.')).toBe(
    `Run \`${typedHere()} verify --data "elsewhere"\`, or see \`${typedHere()} show --help\`; \`show\` is a command.`,
  );
});
