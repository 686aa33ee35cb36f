import { describe, expect, test } from 'vitest';
import { initialSession, type ToolOutput } from '@dreamfold/core';
import { openMemoryLog } from '@dreamfold/log';
import type { ToolDefinition } from '../team/definitions.ts';
import { systemTime } from '../time/system-time.ts';
import { outOfTime } from '../time/time-limit.ts';
import { performTool } from './perform-tool.ts';

const log = openMemoryLog();
const context = { idempotencyKey: 'k', sessionId: 'sesn_1', threadId: 'sthr_1', agent: 'lead', principal: 'ann' };

function perform(run: ToolDefinition['run'], how: Partial<ToolDefinition> = {}, isParsed = false): Promise<ToolOutput> {
  const controller = new AbortController();
  const tool: ToolDefinition = {
    ...{ name: 'pay', description: '', inputSchema: {}, effect: 'unsafe', policy: 'always_allow', timeoutMs: 60_000 },
    parse: (input) => ({ ...(input as object), note: 'filled in' }),
    run: (input, given) => {
      const result = run(input, given);
      // The time of its session is over while it runs.
      if (result instanceof Promise) controller.abort(outOfTime(initialSession('sesn_1')));
      return result;
    },
    ...how,
  };
  return performTool(tool, { to: 'ann' }, { controller, context, blobs: log.blobs, time: systemTime, isParsed });
}

const never = (): Promise<never> => new Promise(() => {});

test('a tool gets what its schema makes of the input, unless that is what a person has approved', async () => {
  const seen = (input: unknown): unknown => input;
  expect(await perform(seen)).toEqual({ text: '{"to":"ann","note":"filled in"}' });
  expect(await perform(seen, {}, true)).toEqual({ text: '{"to":"ann"}' });
});

test.each<[what: string, value: unknown]>([
  ['a map', new Map([['a', 1]])],
  ['a map within', { found: new Set([1]) }],
  ['a stream', (async function* stream() {})()],
  ['a function', () => 1],
])('%s is no output, and the model is told so', async (_what, value) => {
  expect(await perform(() => value)).toMatchObject({
    errorCode: 'tool_failed',
    text: expect.stringContaining('JSON cannot hold') as string,
  });
});

test('a long output is cut, and kept whole as a blob', async () => {
  const whole = 'x'.repeat(100_000);
  const { text, blob } = await perform(() => whole);
  expect(text.length).toBeLessThan(33_000);
  expect(text).toMatch(/\[cut: 32768 of 100000 characters\]$/);
  expect(Buffer.from((await log.blobs.get(blob!.sha256))!).toString()).toBe(whole);
});

describe('a tool that is stopped', () => {
  test.each(['keyed', 'unsafe'] as const)('and is %s may have done its work: nobody knows', async (effect) => {
    const output = await perform(never, { effect });
    expect(output).toMatchObject({ errorCode: 'tool_outcome_unknown', text: expect.stringContaining('Outcome unknown') as string });
  });

  test('and is pure has done nothing', async () => {
    expect(await perform(never, { effect: 'pure' })).toMatchObject({ errorCode: 'budget_exceeded' });
  });
});
