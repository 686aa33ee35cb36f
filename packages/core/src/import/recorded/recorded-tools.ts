import { JsonSchema, parseJson, type ToolSnapshot } from '@dreamfold/events';
import { z } from 'zod';
import { checkRow, rowError } from '../row-error.ts';
import type { ImportNote, Turn } from '../transcript.ts';

const Name = z.string().min(1).max(200);
const Described = { name: Name, description: z.string().nullish() };

const Tool = z.union(
  [
    z.object({ ...Described, input_schema: JsonSchema }),
    z.object({ ...Described, inputSchema: JsonSchema }),
    z.object({ type: z.literal('function'), function: z.object({ ...Described, parameters: JsonSchema.nullish() }) }),
    z.object({ type: z.literal('function'), ...Described, parameters: JsonSchema.nullish() }),
  ],
  { error: 'is neither {name, input_schema} nor {type: "function", function: {name, parameters}}' },
);

const TOOL_REMEDY = 'Write each tool as the Messages API has it, {name, description, input_schema}, or as the Chat API has it.';

/** A tool of which only its use is known. It is `unsafe`: nothing says that it may be run twice. */
function recordedTool(name: string): ToolSnapshot {
  return { name, description: '', input_schema: { type: 'object' }, policy: 'always_allow', effect: 'unsafe' };
}

/** The tools that are called in these turns, in the order of their first call. */
export function toolsCalled(turns: Iterable<Turn>): ToolSnapshot[] {
  const names = new Set<string>();
  for (const turn of turns) if (turn.role === 'assistant') for (const call of turn.calls) names.add(call.name);
  return [...names].map(recordedTool);
}

/**
 * The tools of a list, as the Messages API, the Chat API, the Responses API or MCP writes them.
 * @param at where the list stands, `runs.jsonl:12/tools`
 * @throws DreamfoldError invalid_import for what is no tool, and for two with one name
 */
export function readTools(values: readonly unknown[], at: string, notes: ImportNote[]): ToolSnapshot[] {
  const tools = new Map<string, ToolSnapshot>();
  for (const [i, value] of values.entries()) {
    const place = `${at}/${i}`;
    const service = serviceTool(value);
    if (service !== null) {
      notes.push({ path: place, note: `a tool of the service, of type ${service.slice(0, 40)}, was left out` });
      continue;
    }
    const { name, description, schema } = toolFields(checkRow(Tool, value, { at: place, remedy: TOOL_REMEDY }));
    if (tools.has(name)) throw rowError(place, 'two tools have one name', { value: name, remedy: 'Give each tool a name of its own.' });
    tools.set(name, { ...recordedTool(name), description: description ?? '', ...(schema == null ? {} : { input_schema: schema }) });
  }
  return [...tools.values()];
}

/** The type of a tool that the service runs by itself, such as web_search: it has no schema. null for any other value. */
function serviceTool(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return null;
  return value.type === 'function' || 'input_schema' in value || 'inputSchema' in value ? null : value.type;
}

function toolFields(tool: z.infer<typeof Tool>): {
  name: string;
  description?: string | null | undefined;
  schema?: JsonSchema | null | undefined;
} {
  if ('input_schema' in tool) return { ...tool, schema: tool.input_schema };
  if ('inputSchema' in tool) return { ...tool, schema: tool.inputSchema };
  const { name, description, parameters } = 'function' in tool ? tool.function : tool;
  return { name, description, schema: parameters };
}

/**
 * A file of tools, for rows that name none: a JSON array of them, or `{"tools": […]}`.
 * @param source names the file in errors
 * @throws DreamfoldError invalid_import, and those of parseJson
 */
export function parseTools(text: string, source: string): ToolSnapshot[] {
  const value = parseJson(text.startsWith('\uFEFF') ? text.slice(1) : text, source);
  const list = typeof value === 'object' && value !== null && 'tools' in value ? value.tools : value;
  if (!Array.isArray(list)) throw rowError(source, 'the file is no list of tools', { value, remedy: TOOL_REMEDY });
  return readTools(list, source, []);
}
