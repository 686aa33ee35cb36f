import { DreamfoldError, kindOf, textOf } from '@dreamfold/events';
import type { ToolOutput } from '@dreamfold/core';
import type { Blobs, Time } from '@dreamfold/log';
import type { ToolContext, ToolDefinition } from '../team/definitions.ts';
import { faultOf } from '../thrown.ts';
import { isOutOfTime, withTimeLimit } from '../time/time-limit.ts';
import { storeContent } from '../content-blobs.ts';
import { ToolBlocks } from '../team/tool-blocks.ts';

/** What a model is shown of a long output; the whole of it is a blob. */
const MODEL_SEES_CHARS = 32 * 1024;
const MAX_OUTPUT_CHARS = 64 * 1024;
/** What text takes as JSON at most: a control character takes six bytes, and the event has other fields. */
const MAX_OUTPUT_BYTES = 200 * 1024;
const MAX_BLOB_BYTES = 16 * 1024 * 1024;

export interface ToolPerformance {
  /** Of the call: aborted when it takes too long. */
  controller: AbortController;
  context: Omit<ToolContext, 'signal'>;
  blobs: Blobs;
  time: Time;
  /** The tool's schema was applied to the input before: what came of it was shown to a person, and is what they approved. */
  isParsed: boolean;
}

/** Runs a tool. Whatever it does comes back as an output: a tool never fails the thread. One that is called off already is not run. */
export async function performTool(tool: ToolDefinition, input: unknown, performance: ToolPerformance): Promise<ToolOutput> {
  const { controller, context } = performance;
  const { signal } = controller;
  if (signal.aborted) return { text: `Not run. ${faultOf(signal.reason).message}.`, errorCode: 'budget_exceeded' };
  let value: unknown;
  try {
    const parsed = performance.isParsed ? input : tool.parse(input);
    value = await withTimeLimit(() => tool.run(parsed, { ...context, signal }), {
      time: performance.time,
      ms: tool.timeoutMs,
      controller,
      onTimeout: () => toolTooSlow(tool),
    });
  } catch (error) {
    return isOutOfTime(signal) ? stopped(tool, signal) : failure(tool, error);
  }
  if (value instanceof ToolBlocks) return blocksOutput(tool, value, performance.blobs);
  let text: string;
  try {
    text = typeof value === 'string' ? value : (JSON.stringify(value, needJson) ?? '');
  } catch (error) {
    const { message } = faultOf(error);
    const remedy = 'It may return text, or plain objects, lists, numbers and texts.';
    return { text: `${tool.name} returned something that JSON cannot hold: ${message}. ${remedy}`, errorCode: 'tool_failed' };
  }
  if (!text.isWellFormed()) text = text.toWellFormed();
  return isLong(text) ? cut(text, performance.blobs) : { text };
}

/** What of it does not fit into an event is a blob; text that is too long is refused, since a cut would fall anywhere in it. */
async function blocksOutput(tool: ToolDefinition, { content }: ToolBlocks, blobs: Blobs): Promise<ToolOutput> {
  try {
    return { text: textOf(content), content: await storeContent(blobs, content, tool.name) };
  } catch (error) {
    return failure(tool, error);
  }
}

/** JSON would write a Map, a stream or a promise as `{}`, and a function as nothing: the model would be told that there is no result. */
function needJson(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    // Methods of an object are left out, as ever.
    if (key === '' && (typeof value === 'function' || typeof value === 'symbol')) throw new TypeError(kindOf(value));
    return value;
  }
  if (Symbol.asyncIterator in value) throw new TypeError('a stream or an async iterator');
  if (Symbol.iterator in value || 'then' in value || !/^(?:Object|Number|String|Boolean)$/.test(tagOf(value)))
    throw new TypeError(kindOf(value));
  return value;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function isLong(text: string): boolean {
  if (text.length > MAX_OUTPUT_CHARS) return true;
  return text.length * 6 > MAX_OUTPUT_BYTES && Buffer.byteLength(JSON.stringify(text)) > MAX_OUTPUT_BYTES;
}

async function cut(text: string, blobs: Blobs): Promise<ToolOutput> {
  const shown = text.slice(0, MODEL_SEES_CHARS).toWellFormed();
  const bytes = Buffer.from(text);
  const mark = `\n[cut: ${MODEL_SEES_CHARS} of ${text.length} characters]`;
  if (bytes.length > MAX_BLOB_BYTES) return { text: `${shown}${mark}`, errorCode: 'tool_output_too_large' };
  return { text: `${shown}${mark}`, blob: await blobs.put(bytes) };
}

function failure(tool: ToolDefinition, error: unknown): ToolOutput {
  const { code, message, remedy } = faultOf(error);
  return code === null
    ? { text: `${tool.name} failed: ${message}`, errorCode: 'tool_failed' }
    : { text: `${message}. ${remedy}`, errorCode: code };
}

/** What a tool that is not pure has done until it was stopped, nobody knows. */
function stopped(tool: ToolDefinition, { reason }: AbortSignal): ToolOutput {
  const why = `${faultOf(reason).message} while ${tool.name} ran, and it was stopped.`;
  if (tool.effect === 'pure') return { text: why, errorCode: 'budget_exceeded' };
  return { text: `${why} Outcome unknown: check before it is tried again.`, errorCode: 'tool_outcome_unknown' };
}

function toolTooSlow(tool: ToolDefinition): DreamfoldError {
  return new DreamfoldError('tool_timeout', `${tool.name} took longer than ${tool.timeoutMs} ms`, {
    path: tool.name,
    value: tool.timeoutMs,
    remedy: 'Ask for less at once, or give the tool a longer timeoutMs.',
  });
}
