// What tools do, good and bad: whatever it is, the model gets one result, and the session goes on.
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, scripted, tool, type SessionState, type ToolContext, type ToolOptions } from './index.ts';
import { collect, orphans } from './testing/history.ts';
import { LOGS } from './testing/log-fixtures.ts';

interface Called {
  text: string;
  isError: boolean;
  code: string | undefined;
  blob: { sha256: string; size_bytes: number } | undefined;
  state: SessionState;
}

describe.each(LOGS)('a tool on the log $name', ({ openLog }) => {
  async function call(
    options: Partial<ToolOptions<z.ZodType>> & Pick<ToolOptions<z.ZodType>, 'run'>,
    input: unknown = {},
  ): Promise<Called & { whole: string | null }> {
    const log = await openLog();
    const df = await open({ log });
    const one = tool({ name: 'one', description: 'For tests.', input: z.object({}), ...options });
    const model = scripted(({ messages }) => (messages.length === 1 ? { tool: 'one', input } : 'Done.'));
    const session = await df.run(agent({ name: 'lead', system: '', model, tools: [one] }), 'Begin.');
    expect((await session.done()).text).toBe('Done.');
    const events = await collect(df.events(session.id));
    expect(orphans(events)).toEqual([]);
    const data = events.find((event) => event.type === 'agent.tool_result')!.data as {
      content: [{ text: string; df_blob?: Called['blob'] }];
      is_error?: boolean;
      df_code?: string;
    };
    const [{ df_blob }] = data.content;
    const blob = df_blob === undefined ? null : await log.blobs.get(df_blob.sha256);
    const whole = blob === null ? null : Buffer.from(blob).toString();
    return {
      text: data.content[0].text,
      isError: data.is_error === true,
      code: data.df_code,
      blob: df_blob,
      state: session.state,
      whole,
    };
  }

  test.each([
    ['text', 'plain', 'plain'],
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['nothing', undefined, ''],
    ['null', null, 'null'],
    ['an object with a method', { a: 1, b: () => 1 }, '{"a":1}'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
  ])('that returns %s', async (_, value, text) => {
    expect(await call({ run: () => value })).toMatchObject({ text, isError: false });
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each([
    ['returns a cycle', () => cycle, 'JSON cannot hold'],
    ['returns a BigInt', () => ({ n: 1n }), 'JSON cannot hold'],
    ['returns a function', () => () => 1, 'JSON cannot hold: a function'],
    ['returns a symbol', () => Symbol('x'), 'JSON cannot hold: a symbol'],
    ['returns a Map', () => new Map([['a', 1]]), 'JSON cannot hold: Map'],
    ['returns a Set within a list', () => [{ set: new Set([1]) }], 'JSON cannot hold: Set'],
    ['returns an error', () => new Error('no'), 'JSON cannot hold: Error'],
    ['returns a promise within an object', () => ({ rows: Promise.resolve([]) }), 'JSON cannot hold: Promise'],
    ['returns a stream', () => Readable.from(['a']), 'JSON cannot hold: a stream'],
    [
      'yields',
      async function* () {
        yield 'a';
      },
      'JSON cannot hold: a stream or an async iterator',
    ],
    [
      'returns what throws when it is read',
      () => ({
        toJSON: () => {
          throw new RangeError('no');
        },
      }),
      'JSON cannot hold: no',
    ],
    [
      'throws',
      () => {
        throw new Error('out of paper');
      },
      'one failed: out of paper',
    ],
    ['rejects', async () => Promise.reject(new Error('out of ink')), 'one failed: out of ink'],
    [
      'throws text',
      () => {
        throw 'no paper';
      },
      'one failed: no paper',
    ],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
      'one failed: undefined',
    ],
    [
      'throws an error without words',
      () => {
        throw Object.assign(new Error('x'), { message: undefined });
      },
      'one failed: undefined',
    ],
    [
      'throws an error that throws when it is read',
      () => {
        throw Object.defineProperty(new Error('x'), 'message', {
          get: () => {
            throw new Error('y');
          },
        });
      },
      'one failed: what it threw cannot be shown',
    ],
    [
      'throws what looks like an error of ours',
      () => {
        throw Object.assign(new Error('x'), { name: 'DreamfoldError', code: 5, remedy: {} });
      },
      'one failed: x',
    ],
    [
      'throws what is no text',
      () => {
        throw Object.create(null);
      },
      'one failed: ',
    ],
  ])('that %s has failed', async (_, run, text) => {
    const { text: got, ...rest } = await call({ run });
    expect(got).toContain(text);
    expect(rest).toMatchObject({ isError: true, code: 'tool_failed' });
  });

  test('that fails with a book says the beginning of it', async () => {
    const { text, code } = await call({
      run: () => {
        throw new Error('x'.repeat(1_000_000));
      },
    });
    expect(code).toBe('tool_failed');
    expect(text.length).toBeLessThan(5000);
  });

  test('that takes too long is told to stop, and is not waited for', async () => {
    let reason: unknown;
    const started = performance.now();
    const { text, code } = await call({
      timeoutMs: 30,
      run: (_, { signal }) => new Promise<never>(() => signal.addEventListener('abort', () => (reason = signal.reason))),
    });
    expect(code).toBe('tool_timeout');
    expect(text).toContain('longer than 30 ms');
    expect(reason).toMatchObject({ code: 'tool_timeout' });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('gets input that fits its schema, with defaults, or is not run', async () => {
    let runs = 0;
    const options = {
      input: z.object({ n: z.number().max(9), unit: z.string().default('m') }),
      run: (input: unknown) => {
        runs += 1;
        return input;
      },
    };
    expect(await call(options, { n: 3 })).toMatchObject({ text: '{"n":3,"unit":"m"}', isError: false });
    const { text, code } = await call(options, { n: 'three' });
    expect(code).toBe('invalid_tool_input');
    expect(text).toContain('one: n:');
    expect(runs).toBe(1);
  });

  test('that returns more than a model should read is cut; the whole of it is a blob', async () => {
    const { text, isError, whole } = await call({ run: () => 'é'.repeat(100_000) });
    expect(isError).toBe(false);
    expect(text).toMatch(/^é{32768}\n\[cut: 32768 of 100000 characters\]$/);
    expect(whole).toBe('é'.repeat(100_000));
  });

  test('that returns 50 MB is cut and marked as too large', async () => {
    const { text, code, blob } = await call({ run: () => 'x'.repeat(50_000_000) });
    expect(code).toBe('tool_output_too_large');
    expect(blob).toBeUndefined();
    expect(text.length).toBeLessThan(33_000);
  });

  test('that returns control characters, which take six bytes each, fits into its event', async () => {
    const { text, whole } = await call({ run: () => '\u0001'.repeat(60_000) });
    expect(text.startsWith('\u0001')).toBe(true);
    expect(whole).toHaveLength(60_000);
  });

  test('is told whose call it is, and by which key', async () => {
    const contexts: ToolContext[] = [];
    const { state } = await call({ run: (_, context) => void contexts.push(context) });
    expect(contexts[0]).toMatchObject({ sessionId: state.id, threadId: state.threads[0]!.id, agent: 'lead', principal: 'default' });
    expect(contexts[0]!.idempotencyKey).toMatch(/^[\w-]{43}$/);
  });

  test('that runs several times in one answer has a key for each', async () => {
    const keys = new Set<string>();
    const df = await open({ log: await openLog() });
    const one = tool({
      name: 'one',
      description: '',
      input: z.object({}),
      run: async (_, { idempotencyKey }) => {
        keys.add(idempotencyKey);
        await sleep(1);
        return '';
      },
    });
    const script = '@script [[{"tool":"one"},{"tool":"one"}],{"tool":"one"},{"say":"Done."}]';
    const session = await df.run(agent({ name: 'lead', system: '', tools: [one] }), script);
    await session.done();
    expect(keys.size).toBe(3);
  });
});
