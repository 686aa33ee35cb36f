import { text, type NewEvent } from '@dreamfold/events';

/** An event that only the session's owner may write. */
export function owned(type: string, actor: string, data: unknown): NewEvent {
  return { type, actor, data, class: 'owner' };
}

/** The result of a call that did not run, or of which nobody knows whether it did. */
export function errorResult(actor: string, toolUseId: string, { code, message }: { code: string; message: string }): NewEvent {
  return owned('agent.tool_result', actor, { tool_use_id: toolUseId, content: text(message), is_error: true, df_code: code });
}
