import {
  agentOf,
  threadOf,
  toolFinished,
  wallTimeCap,
  type DecideContext,
  type MemoryBlock,
  type SessionState,
  type Thread,
  type Work,
} from '@dreamfold/core';
import { requestTaken } from '@dreamfold/model';
import { withBlobs } from '../content-blobs.ts';
import { sha256 } from '../digest.ts';
import { performGrading } from './perform-grading.ts';
import { performModel } from './perform-model.ts';
import { performTool } from './perform-tool.ts';
import type { FrameOf } from './prompt-frames.ts';
import type { Completion, ProcessorOptions } from '../session/completion.ts';
import type { RubricDefinition } from '../team/definitions.ts';
import { isOutOfTime } from '../time/time-limit.ts';

export interface WorkPerformance {
  options: ProcessorOptions;
  /** The graders in code. */
  rubric: RubricDefinition | null;
  context: DecideContext;
  frameOf: FrameOf;
  memoryOf: (state: SessionState, thread: Thread) => MemoryBlock | null;
  controller: AbortController;
  /** Records what happens on the way, such as an attempt that failed. */
  record: (completion: Completion) => Promise<unknown>;
}

/**
 * Does the work that the log asks for.
 * @param state the state that asks for it
 * @returns what came of it, null when it was called off
 */
export async function performWork(state: SessionState, work: Work, p: WorkPerformance): Promise<Completion | null> {
  const { options, controller } = p;
  switch (work.kind) {
    case 'model': {
      const thread = threadOf(state, work.threadId);
      if (thread === undefined) throw new TypeError(`no thread ${work.threadId}`);
      const name = thread.agent;
      return performModel(state, work, {
        complete: (request, model) =>
          thread.holds.length === 0 ? request : withBlobs(options.log.blobs, requestTaken(model, request, `The agent ${name}`)),
        model: () => options.modelFor({ name, model: options.team.agents.get(name)?.model ?? agentOf(state, name)?.model ?? '' }),
        frame: p.frameOf(state, name),
        memory: p.memoryOf(state, thread),
        context: p.context,
        controller,
        time: options.time,
        random: options.random,
        onDelta: (text) => options.onDelta(work.threadId, text),
      });
    }
    case 'tool':
      return performCall(state, work, p);
    case 'grade':
      return performGrading(state, work, {
        rubric: p.rubric,
        modelFor: options.modelFor,
        signal: controller.signal,
        time: options.time,
        random: options.random,
        record: p.record,
      });
  }
}

async function performCall(
  state: SessionState,
  work: Extract<Work, { kind: 'tool' }>,
  { options, controller }: WorkPerformance,
): Promise<Completion> {
  const { callId, threadId, name, input, isParsed } = work;
  const agent = threadOf(state, threadId)?.agent ?? '';
  const tool = options.team.agents.get(agent)?.tools.find((t) => t.name === name);
  const output =
    tool === undefined
      ? { text: `The tool ${name} is not part of this program any more.`, errorCode: 'unknown_tool' }
      : await performTool(tool, input, {
          blobs: options.log.blobs,
          time: options.time,
          isParsed,
          controller,
          context: {
            idempotencyKey: sha256(JSON.stringify([state.id, threadId, callId, name, input])),
            sessionId: state.id,
            threadId,
            agent,
            principal: state.principal,
          },
        });
  const cap = isOutOfTime(controller.signal) ? { cap: wallTimeCap(state, options.time.now()) } : {};
  return { cause: `result/${callId}`, build: (now) => toolFinished(now, callId, { ...output, ...cap }) };
}
