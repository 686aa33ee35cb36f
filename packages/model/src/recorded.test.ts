import type { LogEvent } from '@dreamfold/events';
import { expect, test } from 'vitest';
import type { ModelRequest, ModelResponse, RequestMessage } from './port.ts';
import { answersByRequest, recorded } from './recorded.ts';

const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const live = { signal: new AbortController().signal };

function say(text: string): ModelResponse {
  return { content: [{ type: 'text', text }], stopReason: 'end_turn', usage };
}

/** A request after so many turns of the model. */
function requestAfter(turns: number): ModelRequest {
  const turn: RequestMessage[] = [
    { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
    { role: 'assistant', content: [{ type: 'text', text: 'Yes.' }] },
  ];
  return { model: 'recorded', system: '', messages: Array.from({ length: turns }, () => turn).flat(), tools: [], maxTokens: 10 };
}

test('answers come in the order of the turns, in each conversation from the first', async () => {
  const model = recorded([say('one'), say('two')]);
  expect(await model.respond(requestAfter(0), live)).toEqual(say('one'));
  expect(await model.respond(requestAfter(1), live)).toEqual(say('two'));
  expect(await model.respond(requestAfter(0), live)).toEqual(say('one'));
});

test('a recording that is at its end says so', async () => {
  await expect(recorded([say('one')]).respond(requestAfter(1), live)).rejects.toMatchObject({
    code: 'recording_exhausted',
    path: 'turn 2',
  });
  await expect(recorded(() => undefined).respond(requestAfter(0), live)).rejects.toMatchObject({ code: 'recording_exhausted' });
});

test('the text of an answer reaches the listener, and an abort is obeyed', async () => {
  const deltas: string[] = [];
  await recorded([say('one')]).respond(requestAfter(0), { ...live, onDelta: (text) => deltas.push(text) });
  expect(deltas).toEqual(['one']);
  const stopped = { signal: AbortSignal.abort(new Error('enough')) };
  await expect(recorded([say('one')]).respond(requestAfter(0), stopped)).rejects.toThrow('enough');
});

let seq = 0;
function event(actor: string, type: string, data: unknown): LogEvent {
  seq += 1;
  const place = { position: seq, stream: 'session/sesn_1', seq, id: `e${seq}`, time: 0, hash: 'h', v: 1 };
  return { ...place, type, actor, causation: null, correlation: null, data };
}
const start = (actor: string, digest: string): LogEvent => event(actor, 'span.model_request_start', { df_request_sha256: digest });
const end = (actor: string, df_stop_reason?: string): LogEvent =>
  event(actor, 'span.model_request_end', { model_request_start_id: 'x', is_error: false, model_usage: usage, df_stop_reason });

test('a session gives its answers by the digest of the request, threads apart', () => {
  const use = event('sthr_b', 'agent.tool_use', { name: 'add', input: { a: 1 }, evaluated_permission: 'allow' });
  const answers = answersByRequest([
    start('sthr_a', 'A1'),
    start('sthr_b', 'B1'),
    event('sthr_a', 'agent.message', { content: [{ type: 'text', text: 'one' }] }),
    use,
    event('sthr_b', 'decision.recorded', { event_id: use.id, confidence: 0.9 }),
    end('sthr_b'),
    end('sthr_a'),
    start('sthr_a', 'A2'),
    end('sthr_a', 'error'),
    start('sthr_a', 'A3'),
  ]);
  expect([...answers.keys()].toSorted()).toEqual(['A1', 'B1']);
  expect(answers.get('A1')).toEqual(say('one'));
  expect(answers.get('B1')).toEqual({
    content: [{ type: 'tool_use', id: use.id, name: 'add', input: { a: 1 }, decision: { confidence: 0.9 } }],
    stopReason: 'tool_use',
    usage,
  });
});
