import { expect, test } from 'vitest';
import { checkAnswer, FINAL, Workload } from './workload.ts';

test('the standard scenarios are 51 model calls with 50 tool calls, and 50 with 40', () => {
  const workload = new Workload();
  expect(workload.expected('single')).toEqual({ model: 51, tool: 50 });
  expect(workload.expected('team')).toEqual({ model: 50, tool: 40 });
});

test('an agent calls the tool once a turn, then answers', () => {
  const workload = new Workload({ turns: 2, specialists: 1, specialistTurns: 1 });
  expect(workload.decide('single', 0)).toMatchObject({ kind: 'call', input: { i: 0 } });
  expect(workload.decide('single', 1)).toMatchObject({ kind: 'call', input: { i: 1 } });
  expect(workload.decide('single', 2)).toEqual({ kind: 'text', text: FINAL });
  expect(workload.decide('specialist', 1)).toEqual({ kind: 'text', text: FINAL });
});

test('a lead delegates to all specialists at once, then answers', () => {
  const workload = new Workload({ turns: 2, specialists: 3, specialistTurns: 1 });
  const answer = workload.decide('lead', 0);
  expect(answer.kind === 'delegate' && answer.calls.map((call) => call.agent)).toEqual(['specialist_1', 'specialist_2', 'specialist_3']);
  expect(workload.decide('lead', 3)).toEqual({ kind: 'text', text: FINAL });
});

test('work that was left out or done twice is found, and the count begins anew', () => {
  const workload = new Workload({ turns: 1, specialists: 1, specialistTurns: 1 });
  const run = (): void => {
    workload.decide('single', 0);
    workload.lookup(0);
    workload.decide('single', 1);
  };
  run();
  run();
  workload.settle('single', 2);
  run();
  expect(() => workload.settle('single', 2)).toThrow(/2 model calls and 1 tool calls instead of 4 and 2/);
  run();
  workload.lookup(1);
  expect(() => workload.settle('single', 1)).toThrow(RangeError);
  run();
  workload.settle('single', 1);
});

test('another answer than the last one of the model is found', () => {
  checkAnswer(FINAL);
  expect(() => checkAnswer('')).toThrow(RangeError);
});
