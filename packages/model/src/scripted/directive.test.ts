import { isDreamfoldError } from '@dreamfold/events';
import { expect, test } from 'vitest';
import { parseGrades, parseScript } from './directive.ts';

const SAY = { do: 'say', text: 'a' };
const CALL = { do: 'call', tool: 't', input: {} };

test.each([
  ['[]', []],
  ['[{"say":"a"}]', [[SAY]]],
  ['[{"say":"a"},{"say":"a"}]', [[SAY, SAY]]],
  ['[{"tool":"t"},{"tool":"t","input":{"x":[1,-2.5e3,true,null]}}]', [[CALL], [{ ...CALL, input: { x: [1, -2500, true, null] } }]]],
  ['[{"say":"a"},{"tool":"t"},{"say":"a"}]', [[SAY, CALL], [SAY]]],
  ['[[{"tool":"t"},{"tool":"t"}],{"say":"a"}]', [[CALL, CALL], [SAY]]],
  ['[{"delegate":"ann","message":"go"}]', [[{ do: 'call', tool: 'delegate', input: { agent: 'ann', message: 'go' } }]]],
  [
    '[{"sleep_ms":5},{"think":"hm"},{"fail":"timeout"},{"say":"a"}]',
    [[{ do: 'sleep', ms: 5 }, { do: 'think', text: 'hm' }, { do: 'fail', how: 'timeout' }, SAY]],
  ],
  ['[{"fail":"refusal"},{"say":"a"}]', [[{ do: 'fail', how: 'refusal' }], [SAY]]],
  [
    '[{"confidence":0.5},{"sleep_ms":1},{"tool":"t"},{"say":"a"}]',
    [
      [
        { do: 'sleep', ms: 1 },
        { ...CALL, decision: { confidence: 0.5 } },
      ],
      [SAY],
    ],
  ],
  [
    '[{"confidence":0.5},[{"tool":"t"},{"tool":"t"}]]',
    [
      [
        { ...CALL, decision: { confidence: 0.5 } },
        { ...CALL, decision: { confidence: 0.5 } },
      ],
    ],
  ],
  ['[{"confidence":0.5},[{"confidence":1},{"tool":"t"}]]', [[{ ...CALL, decision: { confidence: 1 } }]]],
])('the script %s', (json, turns) => {
  expect(parseScript(`@script ${json}`)?.turns).toEqual(turns);
});

test('a then holds what is done at a later text', () => {
  const script = parseScript('@script [{"tool":"t"},{"say":"a"},{"then":[{"say":"a"}]},{"then":[{"tool":"t"},{"say":"a"}]}]');
  expect(script).toEqual({ turns: [[CALL], [SAY]], later: [[[SAY]], [[CALL], [SAY]]] });
});

test.each([
  ['[{"then":[{"say":"a"}]},{"say":"b"}]', /nothing but another then/],
  ['[{"then":{"say":"a"}}]', /then holds an array/],
  ['[{"then":[]}]', /then holds an array/],
  ['[{"then":[{"then":[{"say":"a"}]}]}]', /stands at the end|nothing/],
  ['[{"then":[{"say":"a"}],"say":"b"}]', /does not belong/],
  ['[[{"then":[{"say":"a"}]}]]', /inner array/],
])('a then that is none: %s', (json, words) => {
  expect(() => parseScript(`@script ${json}`)).toThrow(words);
});

test('a directive stands on a line of its own, or ends one', () => {
  expect(parseScript('Please:\r\n  @script [{"say":"a"}]  \r\nThank you.')?.turns).toEqual([[SAY]]);
  expect(parseScript('Please do this: @script [{"say":"a"}]')?.turns).toEqual([[SAY]]);
  expect(parseScript('@script[{"say":"a"}]')?.turns).toEqual([[SAY]]);
});

test('the last directive of a text counts', () => {
  expect(parseScript('@script [{"say":"old"}]\n@script [{"say":"a"}]')?.turns).toEqual([[SAY]]);
});

test.each(['Hello.', 'Use the @script line.', '@scripted [1]', 'mail@script [1]', '@script-kiddie', ''])('no directive in %j', (text) => {
  expect(parseScript(text)).toBeNull();
});

test('a delegate carries a script of its own, escaped', () => {
  const inner = '@script [{"say":"a"}]';
  const [[step]] = parseScript(`@script ${JSON.stringify([{ delegate: 'ann', message: inner }])}`)!.turns as unknown as [
    [{ input: { message: string } }],
  ];
  expect(parseScript(step.input.message)?.turns).toEqual([[SAY]]);
});

// Columns count from 1 at the beginning of the line; the array of each begins in column 9.
test.each([
  ['', 9, 'line ends here'],
  ['{"say":"a"}', 9, 'JSON array'],
  ['"say"', 9, 'JSON array'],
  ['say hello', 9, 'JSON value'],
  ['[', 10, 'line ends here'],
  ['[{"say":"a"}', 21, 'expected "," or "]"'],
  ['[{"say":"a"},]', 22, 'JSON value'],
  ['[{"say":"a"}] please', 23, 'nothing may follow'],
  ['[{"say":"a}]', 17, 'line ends inside'],
  ['[{"say":"a\tb"}]', 19, 'control character'],
  ['[{"say":"a\\qb"}]', 19, 'escape'],
  ['[{"say":"\\ud800"}]', 17, 'surrogate'],
  ['[{"say":"\\u0000"}]', 17, 'NUL'],
  ["[{'say':'a'}]", 11, 'double quotes'],
  ['[{say:"a"}]', 11, 'double quotes'],
  ['[{"say" "a"}]', 17, 'expected ":"'],
  ['[{"say":"a","say":"b"}]', 21, 'twice'],
  ['[{"tool":"t","__proto__":{}}]', 22, '"__proto__" does not belong to a tool step'],
  ['[{"sleep_ms":01}]', 22, 'JSON value'],
  ['[{"sleep_ms":1.}]', 22, 'JSON value'],
  ['[{"sleep_ms":NaN}]', 22, 'JSON value'],
  ['[nul]', 10, 'JSON value'],
  ['['.repeat(70), 74, 'nested more than 64'],
  ['["say"]', 10, 'a step is an object'],
  ['[null]', 10, 'a step is an object'],
  ['[{}]', 10, 'a step is one of say, tool'],
  ['[{"shout":"a"}]', 11, 'no step is called "shout"'],
  ['[{"Say":"a"}]', 11, 'no step is called "Say"'],
  ['[{"say":1}]', 17, 'say must be text'],
  ['[{"say":""}]', 17, 'not empty'],
  ['[{"say":"a","loud":true}]', 21, '"loud" does not belong to a say step'],
  ['[{"say":"a","tool":"t"}]', 21, '"tool" does not belong to a say step'],
  ['[{"tool":"t","args":{}}]', 22, '"args" does not belong to a tool step'],
  ['[{"tool":["t"]}]', 18, 'tool must be text'],
  ['[{"tool":"t","input":[]}]', 30, 'input must be an object'],
  ['[{"input":{}}]', 11, 'no step is called "input"'],
  ['[{"delegate":"ann"}]', 10, 'needs "message"'],
  ['[{"delegate":"ann","message":7}]', 38, 'message must be text'],
  ['[{"sleep_ms":-1}]', 22, 'sleep_ms must be a whole number'],
  ['[{"sleep_ms":0.5}]', 22, 'sleep_ms must be a whole number'],
  ['[{"sleep_ms":"5"}]', 22, 'sleep_ms must be a whole number'],
  ['[{"sleep_ms":1e9}]', 22, 'sleep_ms must be a whole number'],
  ['[{"think":null}]', 19, 'think must be text'],
  ['[{"confidence":1.1},{"say":"a"}]', 24, 'from 0 to 1'],
  ['[{"confidence":"high"},{"say":"a"}]', 24, 'from 0 to 1'],
  ['[{"say":"a"},{"confidence":1}]', 22, 'none does'],
  ['[{"confidence":1},{"confidence":0},{"say":"a"}]', 10, 'none does'],
  ['[{"fail":"explode"}]', 18, 'one of overloaded, rate_limited'],
  ['[[]]', 10, 'at least one'],
  ['[[{"confidence":1}]]', 11, 'none does'],
  ['[[{"say":"a"}]]', 11, 'not say'],
  ['[[[{"tool":"t"}]]]', 11, 'inner array holds'],
])('@script %s is refused at column %i', (json, column, message) => {
  expect(errorOf(() => parseScript(`first line\n@script ${json}`))).toMatchObject({
    code: 'invalid_directive',
    path: `line 2, column ${column}`,
    message: expect.stringContaining(message),
  });
});

const IDS = ['short', 'cites-sources'];

test('grades are verdicts, with or without scores', () => {
  const none = new Map();
  expect(parseGrades('Be short.\n@grade ["needs_revision","satisfied"]', IDS)).toEqual([
    { verdict: 'needs_revision', criteria: none },
    { verdict: 'satisfied', criteria: none },
  ]);
  expect(parseGrades('@grade [{"verdict":"needs_revision","criteria":{"cites-sources":0.2}}]', IDS)).toEqual([
    { verdict: 'needs_revision', criteria: new Map([['cites-sources', 0.2]]) },
  ]);
  expect(parseGrades('Be short.', IDS)).toBeNull();
});

test.each([
  ['[]', 8, 'at least one verdict'],
  ['["maybe"]', 9, 'one of satisfied, needs_revision'],
  ['[1]', 9, 'one of satisfied'],
  ['[{"criteria":{}}]', 9, 'needs "verdict"'],
  ['[{"verdict":"failed"}]', 20, 'one of satisfied'],
  ['[{"verdict":"satisfied","score":1}]', 32, 'does not belong'],
  ['[{"verdict":"satisfied","criteria":[1]}]', 43, 'object of scores'],
  ['[{"verdict":"satisfied","criteria":{"long":1}}]', 44, 'no criterion "long"; it has short, cites-sources'],
  ['[{"verdict":"satisfied","criteria":{"short":2}}]', 52, 'from 0 to 1'],
])('@grade %s is refused at column %i', (json, column, message) => {
  expect(errorOf(() => parseGrades(`@grade ${json}`, IDS))).toMatchObject({
    code: 'invalid_directive',
    path: `line 1, column ${column}`,
    message: expect.stringContaining(message),
  });
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    expect(isDreamfoldError(error)).toBe(true);
    return error;
  }
  return 'nothing was thrown';
}
