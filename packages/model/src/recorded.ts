import { BLOCK_KINDS, DreamfoldError, type KnownEvent, type LogEvent, checked, kindOf, knownEvent } from '@dreamfold/events';
import { z } from 'zod';
import type { Decision, Model, ModelRequest, ModelResponse, ResponseBlock } from './port.ts';

/** The answer to a request, undefined when the recording has none. */
export type FindRecorded = (request: ModelRequest) => ModelResponse | undefined;

const Recording = z.custom<readonly ModelResponse[] | FindRecorded>(
  (value) =>
    typeof value === 'function' || (Array.isArray(value) && value.every((answer) => typeof answer === 'object' && answer !== null)),
  { error: ({ input }) => `expected a list of answers, or a function that finds one, received ${kindOf(input)}` },
);

/**
 * A model that gives recorded answers and asks nobody.
 * @param recording answers in the order of a conversation's turns (every conversation begins with the first one), or a function that
 * finds the answer to a request, for example by its digest in `answersByRequest`
 * @throws DreamfoldError invalid_argument for what is no recording; recording_exhausted from `respond`
 */
export function recorded(recording: readonly ModelResponse[] | FindRecorded): Model {
  checked(Recording, recording, { what: 'recorded()', name: 'recording' });
  const find = typeof recording === 'function' ? recording : (request: ModelRequest) => recording[turnOf(request)];
  return {
    takes: BLOCK_KINDS,
    async respond(request, call) {
      call.signal.throwIfAborted();
      const response = find(request);
      if (response === undefined) throw exhausted(turnOf(request));
      for (const block of response.content) if (block.type === 'text') call.onDelta?.(block.text);
      return response;
    },
  };
}

/** The model's own turns so far, so that the answer depends on the request alone. */
function turnOf(request: ModelRequest): number {
  return request.messages.filter((message) => message.role === 'assistant').length;
}

function exhausted(turn: number): DreamfoldError {
  return new DreamfoldError('recording_exhausted', `The recording holds no answer for turn ${turn + 1} of this conversation`, {
    path: `turn ${turn + 1}`,
    remedy: 'Record the session again, or go on with a model that can answer.',
  });
}

/**
 * The model's answers in the events of a session, by the digest of the rendered request that each one answered
 * (`df_request_sha256` of its `span.model_request_start`). Requests without an answer are left out.
 */
export function answersByRequest(events: Iterable<LogEvent>): ReadonlyMap<string, ModelResponse> {
  const answers = new Map<string, ModelResponse>();
  /** By actor: threads run in parallel, and each has one request open at a time. */
  const open = new Map<string, OpenAnswer>();
  const blocks = new Map<string, ResponseBlock>();
  for (const event of events) {
    const known = knownEvent(event);
    if (known === null || known.data === null) continue;
    if (known.type === 'span.model_request_start') open.set(known.actor, { digest: known.data.df_request_sha256, content: [] });
    const answer = open.get(known.actor);
    if (answer === undefined) continue;
    const said = blocksOf(known);
    if (said.length > 0) {
      answer.content.push(...said);
      blocks.set(known.id, said[0]!);
    } else if (known.type === 'decision.recorded') {
      const { event_id, ...decision } = known.data;
      const decided = blocks.get(event_id);
      if (decided !== undefined) decided.decision = decision as Decision;
    } else if (known.type === 'span.model_request_end') {
      const { df_stop_reason: stopped, model_usage: usage } = known.data;
      open.delete(known.actor);
      if (stopped === 'error' || stopped === 'interrupted' || stopped === 'budget') continue;
      const stopReason = stopped ?? (answer.content.some((b) => b.type === 'tool_use') ? 'tool_use' : 'end_turn');
      answers.set(answer.digest, { content: answer.content, stopReason, usage });
    }
  }
  return answers;
}

interface OpenAnswer {
  digest: string;
  content: ResponseBlock[];
}

function blocksOf(event: KnownEvent): ResponseBlock[] {
  switch (event.type) {
    case 'agent.message':
      return event.data.content.map((block) => ({ ...block }));
    case 'agent.thinking':
      return [...event.data.df_content];
    case 'agent.tool_use':
      return [{ type: 'tool_use', id: event.id, name: event.data.name, input: event.data.input }];
    default:
      return [];
  }
}
