import { type Content, type NewEvent, newEvent } from '@dreamfold/events';
import { capEvents, type ReachedCap } from './caps.ts';
import { callOf, type SessionState } from './fold/state.ts';

export interface ToolOutput {
  text: string;
  /** Stable code of what went wrong. */
  errorCode?: string;
  blob?: { sha256: string; size_bytes: number };
  /** In the place of the text, when it gave more than text. */
  content?: Content;
  /** The cap that stopped it. */
  cap?: ReachedCap;
}

/** A tool came back. */
export function toolFinished(state: SessionState, callId: string, output: ToolOutput): NewEvent[] {
  const found = callOf(state, callId);
  if (found === undefined || found.call.status !== 'running') return [];
  return [
    ...capEvents(state, found.thread.id, output.cap),
    newEvent('agent.tool_result', found.thread.id, {
      tool_use_id: callId,
      content: output.content ?? [{ type: 'text', text: output.text, ...(output.blob === undefined ? {} : { df_blob: output.blob }) }],
      ...(output.errorCode === undefined ? {} : { is_error: true, df_code: output.errorCode }),
    }),
  ];
}
