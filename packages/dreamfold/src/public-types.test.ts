// What the compiler tells who uses the public types: `pnpm types` checks what stands here, and the tests that it is so when it runs.
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  DreamfoldError,
  isDreamfoldError,
  rubric,
  type CriterionOptions,
  type Dreamfold,
  type LogEvent,
  type RecordedEvent,
  type Session,
  type SessionEvent,
  type SessionResult,
  type UnknownEvent,
} from './index.ts';
import { knownEvent, textOf, type ContentBlock } from '@dreamfold/events';

const newer: LogEvent = {
  ...{ position: 1, stream: 'session/sesn_1', seq: 1, id: 'sevt_1', time: 0, type: 'session.teleported', v: 1 },
  ...{ causation: null, correlation: null, actor: 'system', hash: '', data: { to: 'Mars' } },
};

/** In the words of its type; what this code does not know is told by its name alone. */
function told(event: SessionEvent): string {
  switch (event.type) {
    case 'agent.message':
      expectTypeOf(event.data).toExtend<{ content: ContentBlock[] }>();
      return textOf(event.data.content);
    case 'span.outcome_evaluation_end':
      expectTypeOf(event.data.result).toEqualTypeOf<'satisfied' | 'needs_revision' | 'max_iterations_reached' | 'failed' | 'interrupted'>();
      return event.data.result;
    case 'session.status_running':
      return 'running';
    default:
      expectTypeOf(event.type).toExtend<string>();
      return event.type;
  }
}

describe('an event of a session', () => {
  test('is narrowed by its type, and one that is newer than this code is an event too', () => {
    expectTypeOf<Extract<SessionEvent, UnknownEvent>['data']>().toEqualTypeOf<unknown>();
    expectTypeOf<SessionEvent>().toExtend<LogEvent>();
    // @ts-expect-error -- no event of a session has this name
    expectTypeOf<Extract<SessionEvent, { type: 'memory.patch_applied' }>['data']>().toBeObject();
    expect(told(newer as SessionEvent)).toBe('session.teleported');
    expect(told({ ...newer, type: 'agent.message', data: { content: [{ type: 'text', text: 'Hello' }] } })).toBe('Hello');
    expect(knownEvent(newer)).toBeNull();
  });

  test('that is read back may have been erased', () => {
    expectTypeOf<ReturnType<Dreamfold['events']>>().toEqualTypeOf<AsyncIterable<RecordedEvent>>();
    type Said = Extract<RecordedEvent, { type: 'agent.message' }>['data'];
    expectTypeOf<Said>().toExtend<{ content: ContentBlock[] } | null>();
    expectTypeOf<SessionEvent>().toExtend<RecordedEvent>();
  });
});

/** Compiled, never called. */
export function listen(session: Session): void {
  session.on('event', (event) => expectTypeOf(event).toEqualTypeOf<SessionEvent>());
}

test('what became of an outcome is one of a few words', () => {
  expectTypeOf<NonNullable<SessionResult['outcome']>['result']>().toEqualTypeOf<
    'working' | 'evaluating' | 'satisfied' | 'max_iterations_reached' | 'failed' | 'interrupted'
  >();
});

describe('a criterion', () => {
  const asked = { id: 'good', ask: 'Is it good?' };
  const good: CriterionOptions[] = [
    { ...asked, check: () => true },
    { ...asked, schema: z.object({}) },
    { ...asked, model: 'claude-opus-5' },
    { ...asked, person: true },
  ];

  test('is judged in one of four ways', () => {
    expect(good.map((criterion) => rubric({ criteria: [criterion] }).criteria[0]!.grader.kind)).toEqual([
      'code',
      'code',
      'model',
      'person',
    ]);
  });

  test('is judged in no two', () => {
    // @ts-expect-error -- code and a person
    const two: CriterionOptions = { ...asked, check: () => true, person: true };
    // @ts-expect-error -- a schema and a model
    const others: CriterionOptions = { ...asked, schema: z.string(), model: 'claude-opus-5' };
    // @ts-expect-error -- nobody
    const none: CriterionOptions = { ...asked };
    for (const criterion of [two, others, none]) {
      expect(() => rubric({ criteria: [criterion] })).toThrow(expect.objectContaining({ code: 'invalid_rubric' }) as Error);
    }
  });
});

test('an error of a model of one’s own needs a code and a message', () => {
  const error = new DreamfoldError('model_overloaded', 'The provider is busy');
  expect(isDreamfoldError(error, 'model_overloaded')).toBe(true);
  expect(error.toJSON()).toEqual({ code: 'model_overloaded', message: 'The provider is busy', remedy: expect.any(String) as string });
  expect(error.remedy).not.toBe('');
});
