import { z } from 'zod';
import { checked, DreamfoldError, functionOf, optionsOf, ToolEffect, ToolPolicy, withMethods } from '@dreamfold/events';
import { DefinitionName, TimeoutMs, toolWords, type ToolContext, type ToolDefinition } from '@dreamfold/runtime';

export interface ToolOptions<Input extends z.ZodType> {
  /** 1 to 64 letters, digits, _ and -. */
  name: string;
  /** What it does and when to use it, for the model. */
  description: string;
  /** A zod object: checked before each run, and shown to the model as JSON Schema. */
  input: Input;
  /** Returns text, or anything that JSON can hold. What it throws is told to the model. */
  run: (input: z.output<Input>, context: ToolContext) => unknown;
  /**
   * What running it twice does: `pure` nothing; `keyed` nothing, as long as `context.idempotencyKey` is the same;
   * `unsafe` (the default) something, so that it is never run again by itself after a crash.
   */
  effect?: ToolEffect;
  /** `always_allow` (the default), `always_ask` a person before each run, or `deny`. */
  policy?: ToolPolicy;
  /** Default 60,000. */
  timeoutMs?: number;
}

/**
 * A tool that an agent may call.
 * @throws DreamfoldError invalid_team when an option is unknown or wrong, or the input is not a zod object
 */
export function tool<Input extends z.ZodType>(options: ToolOptions<Input>): ToolDefinition {
  const given = checked(Options, options, {
    what: toolWords(options),
    code: 'invalid_team',
    at: 'tools',
    remedy: 'Correct the value. A whole tool: tool({ name, description, input: z.object({ … }), run }).',
  });
  const { name, description, input, run } = given;
  return {
    name,
    description,
    inputSchema: inputSchemaOf(name, input),
    parse: (value) => parse(name, input, value),
    effect: given.effect ?? 'unsafe',
    policy: given.policy ?? 'always_allow',
    timeoutMs: given.timeoutMs ?? 60_000,
    run,
  };
}

const Options = optionsOf<ToolOptions<z.ZodType>>({
  name: DefinitionName,
  description: z.string(),
  input: withMethods<z.ZodType>('a z.object', 'safeParse'),
  run: functionOf(),
  effect: ToolEffect.optional(),
  policy: ToolPolicy.optional(),
  timeoutMs: TimeoutMs.optional(),
});

function inputSchemaOf(name: string, input: z.ZodType): Record<string, unknown> {
  let schema: Record<string, unknown>;
  try {
    schema = z.toJSONSchema(input, { io: 'input' }) as Record<string, unknown>;
  } catch (cause) {
    throw notAnObject(name, (cause as Error).message, cause);
  }
  if (schema['type'] !== 'object') throw notAnObject(name, `its JSON Schema has the type ${JSON.stringify(schema['type'])}`);
  delete schema['$schema'];
  return schema;
}

function notAnObject(name: string, why: string, cause?: unknown): DreamfoldError {
  return new DreamfoldError('invalid_team', `The input of the tool ${name} can't be shown to a model: ${why}`, {
    path: `tools/${name}/input`,
    remedy: 'Use a z.object of plain JSON types.',
    cause,
  });
}

function parse(name: string, input: z.ZodType, value: unknown): unknown {
  const result = input.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new DreamfoldError('invalid_tool_input', `${name}: ${issue.path.join('.') || 'input'}: ${issue.message}`, {
    path: `/${issue.path.join('/')}`,
    value: issue.input,
    remedy: 'Call it again with input that fits its schema',
  });
}
