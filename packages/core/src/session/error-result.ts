import { newEvent, text, type NewEvent } from '@dreamfold/events';

/** The result of a call that did not run, or of which nobody knows whether it did. */
export function errorResult(actor: string, toolUseId: string, { code, message }: { code: string; message: string }): NewEvent {
  return newEvent('agent.tool_result', actor, { tool_use_id: toolUseId, content: text(message), is_error: true, df_code: code });
}
