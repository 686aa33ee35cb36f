import { JsonSchema, LabellerClass, parseJson, type ToolSnapshot } from '@dreamfold/events';
import { z } from 'zod';
import { importRun, type ImportedSession, type ImportOptions } from './imported-session.ts';
import { recordedTool, toolsCalled } from './recorded-tools.ts';
import { checkRow, rowError } from './row-error.ts';
import { RecordedTime, TranscriptMessage, readTranscript, type ImportNote, type Turn } from './transcript.ts';

const Fraction = z.number().min(0).max(1);

const Tool = z.union(
  [
    z.object({ name: z.string().min(1).max(200), description: z.string().optional(), input_schema: JsonSchema }),
    z.object({
      type: z.literal('function'),
      function: z.object({ name: z.string().min(1).max(200), description: z.string().optional(), parameters: JsonSchema.optional() }),
    }),
  ],
  { error: 'is neither {name, input_schema} nor {type: "function", function: {name, parameters}}' },
);

const Feedback = z.strictObject({
  /** The place of an assistant message in `messages`, from 0, when it makes at most one call; or the id of a tool call. */
  judges: z.union([z.int().nonnegative(), z.string().min(1)], { error: 'is neither the place of a message nor the id of a tool call' }),
  verdict: z.enum(['right', 'wrong']),
  /** The fields of the call's input that would have been right. */
  right_answer: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  reason: z.string().max(4000).optional(),
  /** Who says so. */
  by: z.string(),
  /** What weight the word has: see LABELLER_WEIGHT. Default `customer` for the row's principal itself, `person` for anybody else. */
  class: LabellerClass.optional(),
});

/**
 * One line of `--format messages`: a transcript, and what came of it. Only `messages` is required. Messages are those of
 * the Anthropic Messages API (text, tool_use and tool_result blocks) or of the OpenAI Chat API (tool_calls, role tool);
 * an assistant message may carry `confidence` and `reason` of its own, and any message a `time`.
 *
 * A tool result is an error when it says `is_error: true`; a message of role tool also when its text begins with `Error:`.
 *
 * @example
 * {"principal": "acme", "outcome": 1, "messages": [
 *   {"role": "user", "content": "My card was charged twice"},
 *   {"role": "assistant", "confidence": 0.8, "reason": "Says charged.", "content": [
 *     {"type": "tool_use", "id": "t1", "name": "route", "input": {"queue": "cards"}}]},
 *   {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "routed"}]}],
 *  "feedback": [{"judges": "t1", "verdict": "wrong", "right_answer": {"queue": "billing"}, "by": "cards desk", "class": "desk"}]}
 */
export const MessagesRow = z.object({
  messages: z.array(TranscriptMessage).min(1),
  /** Tells two runs apart that are otherwise the same, word for word; kept as metadata. */
  id: z.union([z.string().min(1).max(200), z.int()]).optional(),
  title: z.string().max(500).optional(),
  /** Whose request it was, default `unknown`. Evidence counts principals, so rows without one count as a single one. */
  principal: z.string().optional(),
  /** How the run ended: a score from 0 to 1, or whether it succeeded. */
  outcome: z
    .union(
      [Fraction, z.boolean(), z.strictObject({ score: z.union([Fraction, z.boolean()]), source: z.string().min(1).max(200).optional() })],
      {
        error: 'is neither a number from 0 to 1, nor true or false, nor {score, source}',
      },
    )
    .optional(),
  /** Of each assistant message that has none of its own. */
  confidence: Fraction.optional(),
  feedback: z.array(Feedback).optional(),
  /** The system prompt, where it is not a message. */
  system: z.union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() }))]).optional(),
  /** The agent's tools in either style; tools that are called and not listed here are added. */
  tools: z.array(Tool).optional(),
  agent: z.string().min(1).max(100).optional(),
  model: z.string().min(1).max(200).optional(),
  time: RecordedTime.optional(),
});
export type MessagesRow = z.infer<typeof MessagesRow>;

const LINE_LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64, maxKeys: 200_000 };
const REMEDY = 'Correct this field, or remove the row; `dreamfold import --help` shows the shape of a row.';

/**
 * The session of one line of a JSONL file, or null for a blank line. `path` of an error is `file:row/pointer`.
 * @param row the line's number, from 1
 * @throws DreamfoldError invalid_import, and those of parseJson
 */
export function parseMessagesLine(line: string, row: number, options: ImportOptions): ImportedSession | null {
  const json = row === 1 && line.startsWith('\uFEFF') ? line.slice(1) : line;
  if (json.trim() === '') return null;
  const at = `${options.source}:${row}`;
  const value = parseJson(json, at, LINE_LIMITS);
  const record = checkRow(MessagesRow, value, { at, remedy: REMEDY });
  const notes: ImportNote[] = Object.keys(value as object)
    .filter((key) => !Object.hasOwn(MessagesRow.shape, key))
    .map((key) => ({ path: `${at}/${key.slice(0, 80)}`, note: 'a field that is not known was ignored' }));
  const { system, turns } = readTranscript(record.messages, `${at}/messages`, notes);
  const feedback = (record.feedback ?? []).map((f, i) => ({ ...definite(f), at: `${at}/feedback/${i}` }));
  // Feedback arrives later: a row that has gained some is still the same run.
  const { feedback: _, ...content } = value as Record<string, unknown>;
  return importRun(
    {
      format: 'messages',
      row,
      at,
      content: JSON.stringify(content),
      principal: record.principal ?? null,
      ...(record.title === undefined ? {} : { title: record.title }),
      ...(record.id === undefined ? {} : { metadata: { id: String(record.id) } }),
      agent: {
        system: [systemText(record.system), system].filter((part) => part !== '').join('\n\n'),
        tools: toolsOf(record, turns, at),
        ...(record.agent === undefined ? {} : { name: record.agent }),
        ...(record.model === undefined ? {} : { model: record.model }),
      },
      turns: withDefaults(turns, record),
      ...(record.outcome === undefined ? {} : { outcome: outcomeOf(record.outcome) }),
      feedback,
      notes,
    },
    options,
  );
}

function systemText(system: MessagesRow['system']): string {
  if (system === undefined || typeof system === 'string') return system ?? '';
  return system.map((block) => block.text).join('\n');
}

function outcomeOf(outcome: NonNullable<MessagesRow['outcome']>): { score: number; source: string } {
  const { score, source } = typeof outcome === 'object' ? outcome : { score: outcome, source: undefined };
  return { score: Number(score), source: source ?? 'messages outcome' };
}

/** The row's confidence and time stand for messages that have none; a time holds until the next one. */
function withDefaults(turns: readonly Turn[], { confidence, time }: MessagesRow): Turn[] {
  return turns.map((turn, i) => ({
    ...(i === 0 && time !== undefined ? { time } : {}),
    ...(turn.role === 'assistant' && confidence !== undefined ? { confidence } : {}),
    ...turn,
  }));
}

function toolsOf(record: MessagesRow, turns: readonly Turn[], at: string): ToolSnapshot[] {
  const tools = new Map<string, ToolSnapshot>();
  for (const [i, tool] of (record.tools ?? []).entries()) {
    const { name, description, schema } = toolFields(tool);
    if (tools.has(name)) {
      throw rowError(`${at}/tools/${i}`, 'two tools have one name', { value: name, remedy: 'Give each tool a name of its own.' });
    }
    tools.set(name, { ...recordedTool(name), description: description ?? '', ...(schema === undefined ? {} : { input_schema: schema }) });
  }
  for (const tool of toolsCalled(turns)) if (!tools.has(tool.name)) tools.set(tool.name, tool);
  return [...tools.values()];
}

function toolFields(tool: z.infer<typeof Tool>): { name: string; description?: string | undefined; schema?: JsonSchema | undefined } {
  if ('input_schema' in tool) return { name: tool.name, description: tool.description, schema: tool.input_schema };
  const { name, description, parameters } = tool.function;
  return { name, description, schema: parameters };
}

function definite({ right_answer, reason, class: labeller, ...rest }: z.infer<typeof Feedback>) {
  return {
    ...rest,
    ...(right_answer === undefined ? {} : { right_answer }),
    ...(reason === undefined ? {} : { reason }),
    ...(labeller === undefined ? {} : { class: labeller }),
  };
}
