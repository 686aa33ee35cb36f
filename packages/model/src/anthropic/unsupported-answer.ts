import type { ErrorCode } from '@dreamfold/events';
import { ModelError } from '../model-error.ts';

const NEWER = 'Use a model or a server that speaks the Messages API as Dreamfold knows it, or a newer Dreamfold.';

/** Reasons to stop that no request of ours asks for, and what is wrong then. */
const STOPS: Readonly<Record<string, { code?: ErrorCode; message: string; remedy: string }>> = {
  pause_turn: {
    message: 'The model paused its turn (pause_turn), as it does for tools that the service runs itself',
    remedy: 'Have the server run no tools of its own: Dreamfold asks for none, and does not go on with a paused turn.',
  },
  stop_sequence: {
    message: 'The model stopped at a stop sequence (stop_sequence), so its answer may be cut short anywhere',
    remedy: 'Have the server set no stop sequences: Dreamfold asks for none.',
  },
  model_context_window_exceeded: {
    code: 'model_context_window_exceeded',
    message: "The model's context window is full (model_context_window_exceeded)",
    remedy: 'Give the agent the contextWindow that its model has, or a smaller one: then its history is compacted in time.',
  },
};

/** The model stopped for a reason that ends no answer of ours. The same request would end in the same way, so it is not made again. */
export function unsupportedStop(reason: string): ModelError {
  const {
    code = 'model_answer_unsupported',
    message,
    remedy,
  } = Object.hasOwn(STOPS, reason)
    ? STOPS[reason]!
    : { message: `The model stopped for a reason that nobody asked for: ${shown(reason)}`, remedy: NEWER };
  return new ModelError(code, message, { path: 'stop_reason', value: shown(reason), remedy });
}

/** An answer that comes in pieces which this code can't put together. */
export function unsupportedDelta(type: string): ModelError {
  return new ModelError('model_answer_unsupported', `The answer holds a delta of an unknown type: ${shown(type)}`, {
    path: 'delta',
    value: shown(type),
    remedy: NEWER,
  });
}

function shown(name: string): string {
  return name.slice(0, 100).toWellFormed();
}
