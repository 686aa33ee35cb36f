import { asGiven, LabellerClass, parseJson, type OutcomeImported, type ToolSnapshot } from '@dreamfold/events';
import { z } from 'zod';
import { importRun, type ImportedSession, type ImportOptions } from './imported-session.ts';
import { RecordedTime, recordedTime } from './recorded/recorded-time.ts';
import { readTools, toolsCalled } from './recorded/recorded-tools.ts';
import { checkRow, rowError } from './row-error.ts';
import { readTranscript, type ImportNote, type PlacedMessage, type Turn } from './transcript.ts';

const Fraction = z.number().min(0).max(1);

const Feedback = z.strictObject({
  /** The place of an assistant message in `messages`, from 0, when it makes at most one call; or the id of a tool call. */
  judges: z.union([z.int().nonnegative(), z.string().min(1)], { error: 'is neither the place of a message nor the id of a tool call' }),
  verdict: z.enum(['right', 'wrong']),
  /** The fields of the call's input that would have been right. */
  right_answer: asGiven(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))).optional(),
  reason: z.string().max(4000).optional(),
  /** Who says so. */
  by: z.string(),
  /** What weight the word has: see LABELLER_WEIGHT. Default `customer` for the row's principal itself, `person` for anybody else. */
  class: LabellerClass.optional(),
  /** When it was said, as `created_at` of the row. */
  created_at: RecordedTime.nullish(),
});

/** What came of a run, with where it is said and why. */
const Outcome = z.strictObject({
  score: z.union([Fraction, z.boolean()]),
  source: z.string().min(1).max(200).nullish(),
  reason: z.string().nullish(),
});

/**
 * One row of `--format messages`: a transcript, and what came of it. Only the transcript is required: `messages`, or `input` and `output`.
 * Messages are those of the Anthropic Messages API (text, tool_use and tool_result blocks), of the OpenAI Chat API (tool_calls, role tool;
 * function_call, role function), items of its Responses API, or messages of LangChain. An assistant message may carry `confidence` and
 * `reason` of its own, and the `name` of the agent that speaks; any message may say when it was, `created_at`.
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
  messages: z.array(z.unknown()).optional(),
  /** Instead of `messages`: what the Responses API was given, and what it gave. */
  input: z.union([z.string(), z.array(z.unknown())], { error: 'is neither text nor a list of items' }).optional(),
  output: z.array(z.unknown()).optional(),
  /** Tells two runs apart that are otherwise the same, word for word; kept as metadata. */
  id: z.union([z.string().min(1).max(200), z.int()]).optional(),
  title: z.string().max(500).optional(),
  /** Whose request it was, default `unknown`. Evidence counts principals, so rows without one count as a single one. */
  principal: z.string().optional(),
  /** How the run ended: a score from 0 to 1, or whether it succeeded. */
  outcome: z
    .union([Fraction, z.boolean(), Outcome], {
      error: 'is neither a number from 0 to 1, nor true or false, nor {score, source, reason}',
    })
    .nullish(),
  /** Of each assistant message that has none of its own. */
  confidence: Fraction.optional(),
  feedback: z.array(Feedback).optional(),
  /** The system prompt, where it is not a message. */
  system: z.union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() }))]).optional(),
  /** The same, as the Responses API calls it. */
  instructions: z.string().nullish(),
  /** The agent's tools in any style; tools that are called and not listed here are added. */
  tools: z.array(z.unknown()).optional(),
  agent: z.string().min(1).max(100).optional(),
  model: z.string().min(1).max(200).optional(),
  /** When it happened: of the messages that do not say it themselves. */
  created_at: RecordedTime.nullish(),
  time: RecordedTime.nullish(),
});
export type MessagesRow = z.infer<typeof MessagesRow>;

const LINE_LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64, maxKeys: 200_000, anyKey: true };
const REMEDY = 'Correct this field, or remove the row; `dreamfold import --help` shows the shape of a row.';

/**
 * The session of one line of a JSONL file, or null for a blank line. `path` of an error is `file:row/pointer`.
 * @param row the line's number, from 1
 * @throws DreamfoldError invalid_import, and those of parseJson
 */
export function parseMessagesLine(line: string, row: number, options: ImportOptions): ImportedSession | null {
  const json = row === 1 && line.startsWith('\uFEFF') ? line.slice(1) : line;
  if (json.trim() === '') return null;
  return importMessages(parseJson(json, `${options.source}:${row}`, LINE_LIMITS), row, options);
}

/**
 * The session of one row: an object as MessagesRow has it, or the messages alone.
 * @param row its place in the file, from 1
 * @throws DreamfoldError invalid_import
 */
export function importMessages(value: unknown, row: number, options: ImportOptions): ImportedSession {
  const at = `${options.source}:${row}`;
  const record = checkRow(MessagesRow, Array.isArray(value) ? { messages: value } : value, { at, remedy: REMEDY });
  const notes: ImportNote[] = Array.isArray(value) ? [] : unknownFields(value as object, at);
  const place = Array.isArray(value) ? at : `${at}/messages`;
  const { system, turns } = readTranscript(messagesOf(record, at, place), place, notes);
  const feedback = (record.feedback ?? []).map((f, i) => ({ ...definite(f), at: `${at}/feedback/${i}` }));
  const metadata = record.id === undefined ? {} : { metadata: { id: String(record.id) } };
  return importRun(
    {
      format: 'messages',
      row,
      at,
      content: contentOf(value),
      principal: record.principal ?? null,
      ...(record.title === undefined ? {} : { title: record.title }),
      ...metadata,
      agent: {
        system: [systemText(record.system), record.instructions ?? '', system].filter((part) => part !== '').join('\n\n'),
        tools: toolsOf(record, { turns, at, notes, known: options.tools ?? [] }),
        ...(record.agent === undefined ? {} : { name: record.agent }),
        ...(record.model === undefined ? {} : { model: record.model }),
      },
      turns: withDefaults(turns, record),
      ...(record.outcome == null ? {} : { outcome: outcomeOf(record.outcome) }),
      feedback,
      notes,
    },
    options,
  );
}

function unknownFields(value: object, at: string): ImportNote[] {
  return Object.keys(value)
    .filter((key) => !Object.hasOwn(MessagesRow.shape, key))
    .map((key) => ({ path: `${at}/${key.slice(0, 80)}`, note: 'a field that is not known was ignored' }));
}

/** What the session's id follows from. Feedback arrives later: a row that has gained some is still the same run. */
function contentOf(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value);
  const { feedback: _, ...content } = value as Record<string, unknown>;
  return JSON.stringify(content);
}

/** @param place where `messages` stand, or would */
function messagesOf({ messages, input, output }: MessagesRow, at: string, place: string): PlacedMessage[] {
  const placed = (list: readonly unknown[], where: string): PlacedMessage[] => list.map((value, i) => ({ at: `${where}/${i}`, value }));
  if (messages !== undefined) return placed(messages, place);
  if (input === undefined && output === undefined) throw rowError(place, 'there are no messages', { remedy: REMEDY });
  const asked = typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? []);
  return [...placed(asked, `${at}/input`), ...placed(output ?? [], `${at}/output`)];
}

/**
 * Whether the elements of a list are rows: each an object with a transcript, or a transcript itself. Otherwise they are the messages of one.
 */
export function areRows([first]: readonly unknown[]): boolean {
  if (typeof first !== 'object' || first === null) return false;
  return Array.isArray(first) || 'messages' in first || (('input' in first || 'output' in first) && !('type' in first));
}

function systemText(system: MessagesRow['system']): string {
  if (system === undefined || typeof system === 'string') return system ?? '';
  return system.map((block) => block.text).join('\n');
}

function outcomeOf(outcome: NonNullable<MessagesRow['outcome']>): OutcomeImported {
  const { score, source, reason } = typeof outcome === 'object' ? outcome : { score: outcome, source: undefined, reason: undefined };
  return { score: Number(score), source: source ?? 'messages outcome', ...(reason == null ? {} : { reason }) };
}

/** The row's confidence and time stand for messages that have none; a time holds until the next one. */
function withDefaults(turns: readonly Turn[], record: MessagesRow): Turn[] {
  const { confidence } = record;
  return turns.map((turn, i) => ({
    ...(i === 0 ? recordedTime(record) : {}),
    ...(turn.role === 'assistant' && confidence !== undefined ? { confidence } : {}),
    ...turn,
  }));
}

/** The tools that the row declares, and of those that it calls and does not declare, what is known from elsewhere. */
function toolsOf(
  { tools }: MessagesRow,
  { turns, at, notes, known }: { turns: readonly Turn[]; at: string; notes: ImportNote[]; known: readonly ToolSnapshot[] },
): ToolSnapshot[] {
  const declared = readTools(tools ?? [], `${at}/tools`, notes);
  const undeclared = toolsCalled(turns).filter(({ name }) => !declared.some((tool) => tool.name === name));
  return [...declared, ...undeclared.map((tool) => known.find(({ name }) => name === tool.name) ?? tool)];
}

function definite({ right_answer, reason, class: labeller, created_at, ...rest }: z.infer<typeof Feedback>) {
  return {
    ...rest,
    ...(right_answer === undefined ? {} : { right_answer }),
    ...(reason === undefined ? {} : { reason }),
    ...(labeller === undefined ? {} : { class: labeller }),
    ...recordedTime({ created_at }),
  };
}
