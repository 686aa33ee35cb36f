import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BLOCK_KINDS, checked, DreamfoldError, functionOf } from '@dreamfold/events';
import { gradeCall, readGraderRequest } from '../grading.ts';
import { ModelError } from '../model-error.ts';
import type { Decision, Model, ModelCall, ModelPrice, ModelRequest, ModelResponse, RequestMessage, ResponseBlock } from '../port.ts';
import { type Failure, type Script, type Turns, type TurnStep, parseGrades, parseScript } from './directive.ts';
import { estimateInputTokens, estimateOutputTokens } from './token-estimate.ts';

/** One block of a policy's answer: text, or a call of a tool. */
export type ScriptedPart = { say: string; decision?: Decision } | { tool: string; input?: unknown; decision?: Decision };

/**
 * What a policy may answer: text, one part, several parts of one turn, or a whole response with usage of its own.
 * Ids, stop reason and usage of the short forms are filled in.
 */
export type ScriptedAnswer = string | ScriptedPart | readonly ScriptedPart[] | ModelResponse;

/** A function of the rendered request, which is all that a model sees. */
export type ScriptedPolicy = (request: ModelRequest, call: ModelCall) => ScriptedAnswer | Promise<ScriptedAnswer>;

/**
 * A model without a model: deterministic and free, for tests, demos and examples.
 *
 * Without a policy it obeys the `@script [...]` line of the newest user text. Where it stands in the script is the number of its own turns
 * since that text, so the same request has the same answer in every process. Text without a directive is answered
 * with one sentence, unless the script before it has a `then` for it; a script that does not end with `say` ends with "Done.". As a grader it obeys the `@grade [...]` line of the rubric.
 *
 * The one thing that it remembers is which `fail` steps of which request have failed, since a retry sends the same request: each
 * fails once in this instance's life, and once more in a new process. Two threads with exactly equal requests share it.
 *
 * @throws DreamfoldError invalid_argument for what is no policy; invalid_directive from `respond`
 */
export function scripted(policy?: ScriptedPolicy): Model {
  checked(functionOf<ScriptedPolicy>().optional(), policy, { what: 'scripted()', name: 'policy' });
  if (policy !== undefined) return { price: FREE, takes: BLOCK_KINDS, respond: (request, call) => askPolicy(policy, request, call) };
  const failed = new Set<string>();
  return { price: FREE, takes: BLOCK_KINDS, respond: (request, call) => obey(request, call, failed) };
}

const FREE: ModelPrice = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

async function askPolicy(policy: ScriptedPolicy, request: ModelRequest, call: ModelCall): Promise<ModelResponse> {
  call.signal.throwIfAborted();
  let answer = policy(request, call);
  if (answer instanceof Promise) answer = await orAborted(answer, call.signal);
  if (typeof answer === 'object' && answer !== null && 'stopReason' in answer) {
    emitText(answer.content, call);
    return answer;
  }
  return respondWith(partsOf(answer), { request, call });
}

function partsOf(answer: Exclude<ScriptedAnswer, ModelResponse>): readonly ScriptedPart[] {
  const parts = typeof answer === 'string' ? [{ say: answer }] : ([answer].flat() as readonly ScriptedPart[]);
  if (parts.length > 0 && parts.every(isPart)) return parts;
  throw new DreamfoldError('invalid_argument', 'A scripted policy answered with something that is not an answer', {
    path: 'policy',
    value: answer,
    remedy: 'Return text, { say }, { tool, input }, an array of those that is not empty, or a ModelResponse.',
  });
}

function isPart(part: ScriptedPart): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const named: unknown = 'say' in part ? part.say : part.tool;
  return typeof named === 'string' && named !== '';
}

/** Rejects with the signal's reason as soon as it aborts, whatever the promise does. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function obey(request: ModelRequest, call: ModelCall, failed: Set<string>): Promise<ModelResponse> {
  call.signal.throwIfAborted();
  const context = { request, call };
  const grading = readGraderRequest(request);
  if (grading !== null) return respondWith([grade(grading)], context);
  const asked = newestUserText(request.messages);
  if (asked === null) return respondWith([{ say: 'I was asked nothing.' }], context);
  const turns = turnsFor(request.messages, asked.message);
  if (turns === null) return respondWith([{ say: echo(asked.message) }], context);
  return takeTurn(turns[asked.turn] ?? [], { ...context, failed, turn: asked.turn });
}

/** Every criterion gets 1 when satisfied and 0 when not, unless the directive names its score. Without a directive all is well. */
function grade({ rubric, iteration, criteriaIds }: NonNullable<ReturnType<typeof readGraderRequest>>): ScriptedPart {
  const grades = parseGrades(rubric, criteriaIds);
  const given = grades?.[Math.min(iteration, grades.length - 1)];
  const verdict = given?.verdict ?? 'satisfied';
  const otherwise = verdict === 'satisfied' ? 1 : 0;
  const reason = given === undefined ? 'The rubric holds no @grade line.' : `The script says ${verdict}.`;
  return gradeCall(criteriaIds.map((id) => ({ id, score: given?.criteria.get(id) ?? otherwise, reason })));
}

interface TurnContext extends Asked {
  failed: Set<string>;
  turn: number;
}

async function takeTurn(steps: readonly TurnStep[], context: TurnContext): Promise<ModelResponse> {
  const parts: ScriptedPart[] = [];
  let thought = 0;
  for (const [index, step] of steps.entries()) {
    switch (step.do) {
      case 'sleep':
        await sleepFor(step.ms, context.call.signal);
        break;
      case 'think':
        thought += step.text.length;
        break;
      case 'fail':
        if (step.how === 'refusal') return refuse(parts, context);
        failOnce(step.how, index, context);
        break;
      case 'say':
        parts.push({ say: step.text, ...(step.decision && { decision: step.decision }) });
        break;
      case 'call':
        parts.push({ tool: step.tool, input: step.input, ...(step.decision && { decision: step.decision }) });
        break;
    }
  }
  return respondWith(parts.length === 0 ? [{ say: 'Done.' }] : parts, context, thought);
}

/** The newest user message that holds text, and how many turns the model has taken since. Tool results are not text. */
function newestUserText(messages: readonly RequestMessage[]): { message: RequestMessage; turn: number } | null {
  let turn = 0;
  for (let i = messages.length - 1; i >= 0; i -= 1) {
    const message = messages[i]!;
    if (message.role === 'assistant') turn += 1;
    else if (holdsText(message)) return { message, turn };
  }
  return null;
}

function holdsText({ role, content }: RequestMessage): boolean {
  return role === 'user' && content.some((block) => block.type === 'text');
}

/** What the newest user text asks for: by its own script, or by the `then` that an earlier script has for it. */
function turnsFor(messages: readonly RequestMessage[], newest: RequestMessage): Turns | null {
  let later = 0;
  for (let i = messages.lastIndexOf(newest); i >= 0; i -= 1) {
    const message = messages[i]!;
    if (!holdsText(message)) continue;
    const script = scriptOf(message);
    if (script !== null) return later === 0 ? script.turns : (script.later[later - 1] ?? null);
    later += 1;
  }
  return null;
}

const scripts = new WeakMap<RequestMessage, Script | null>();

/** Parsed once per message: a long script is asked for at each of its turns. */
function scriptOf(message: RequestMessage): Script | null {
  let script = scripts.get(message);
  if (script === undefined) scripts.set(message, (script = parseScript(plainText(message))));
  return script;
}

function plainText(message: RequestMessage): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
}

function echo(message: RequestMessage): string {
  const asked = plainText(message).replaceAll(/\s+/g, ' ').trim();
  return `I was asked: ${asked.length > 200 ? `${asked.slice(0, 200)}…` : asked}`;
}

interface Asked {
  request: ModelRequest;
  call: ModelCall;
}

/** @param thought characters that were thought, but not said */
function respondWith(parts: readonly ScriptedPart[], { request, call }: Asked, thought = 0): ModelResponse {
  const content = parts.map((part, i): ResponseBlock => {
    const decision = part.decision && { decision: part.decision };
    if ('say' in part) return { type: 'text', text: part.say, ...decision };
    // Unique in the conversation: the answer becomes message number `messages.length`.
    return { type: 'tool_use', id: `call_${request.messages.length}_${i}`, name: part.tool, input: part.input ?? {}, ...decision };
  });
  emitText(content, call);
  const calls = content.some((block) => block.type === 'tool_use');
  return { content, stopReason: calls ? 'tool_use' : 'end_turn', usage: usageOf(request, content, thought) };
}

function refuse(parts: readonly ScriptedPart[], asked: Asked): ModelResponse {
  return {
    ...respondWith(parts, asked),
    stopReason: 'refusal',
    refusal: { category: null, explanation: 'The script says that the model refuses.' },
  };
}

function usageOf(request: ModelRequest, content: readonly ResponseBlock[], thought: number): ModelResponse['usage'] {
  return {
    input_tokens: estimateInputTokens(request),
    output_tokens: estimateOutputTokens(content, thought),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
}

function emitText(content: readonly ResponseBlock[], call: ModelCall): void {
  if (call.onDelta === undefined) return;
  for (const block of content) if (block.type === 'text') call.onDelta(block.text);
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    // The timer rejects with an error of its own; the port promises the signal's reason.
    throw signal.aborted ? signal.reason : error;
  }
}

const FAILURES: Record<Exclude<Failure, 'refusal'>, ConstructorParameters<typeof ModelError>[0]> = {
  overloaded: 'model_overloaded',
  rate_limited: 'model_rate_limited',
  timeout: 'model_timeout',
  cut: 'model_protocol_error',
};

function failOnce(how: Exclude<Failure, 'refusal'>, step: number, { request, failed, turn }: TurnContext): void {
  const digest = createHash('sha256')
    .update(JSON.stringify([request.system, request.messages, turn, step]))
    .digest('base64url');
  if (failed.has(digest)) return;
  failed.add(digest);
  throw new ModelError(FAILURES[how], `The script says that this attempt fails: ${how}`, { remedy: 'Try again: a fail step fails once.' });
}
