import { text, type Content } from './content.ts';

/** The newest version of each type that has more than one. */
export const RAISED_VERSIONS = {
  'user.message': 2,
  'agent.message': 2,
  'agent.tool_result': 2,
  'agent.thread_message_sent': 2,
  'agent.thread_message_received': 2,
  'dream.insight_proposed': 2,
} as const;

/**
 * Turns the payload of version `v` of a type into version `v + 1`. Keyed `type@v`.
 * Content was text alone in version 1. Text is as it was; version 2 tells code that knows nothing else to leave the session alone.
 */
export const UPCASTERS: Readonly<Record<string, (data: unknown) => unknown>> = {
  'user.message@1': (data) => data,
  'agent.message@1': (data) => data,
  'agent.tool_result@1': blobToItsBlock,
  'agent.thread_message_sent@1': (data) => data,
  'agent.thread_message_received@1': (data) => data,
  'dream.insight_proposed@1': insightBesideItsPatch,
};

/** The whole of a cut output was named beside the content; now each block that was cut names its own. Total, as the fold is. */
function blobToItsBlock(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || !('df_blob' in data)) return data;
  const { df_blob, ...rest } = data as { content?: unknown; df_blob: unknown };
  const [first = text('')[0], ...more] = Array.isArray(rest.content) ? (rest.content as Content) : [];
  return { ...rest, content: [{ ...first, df_blob }, ...more] };
}

/** Version 1 said of every insight what its patch says too. */
function insightBesideItsPatch(data: unknown): unknown {
  const { insight, reason, evidence, ...rest } = (data ?? {}) as Record<string, unknown>;
  const id: unknown = typeof insight === 'object' && insight !== null && 'id' in insight ? insight.id : undefined;
  return { insight_id: id, content: { insight, reason, evidence }, ...rest };
}
