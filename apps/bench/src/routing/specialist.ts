// The stand-in for a language model: a function of its prompt and of nothing else. It knows no queue and no word of the data:
// the queues are the values that the tool's schema allows, and what tells them apart is their names and the memory.
import { phrasesOf } from '@dreamfold/core';
import { agent, readChoices, scripted, tool, type AgentDefinition, type ModelRequest, type ScriptedPolicy } from 'dreamfold';
import { z } from 'zod';

export const TOOL = 'route';
export const FIELD = 'queue';

/** Ten points are one unit of log-odds. */
const POINTS_PER_UNIT = 10;
/** What a name that the request says whole is worth before there is any memory, in points. */
const NAME_POINTS = 15;
/** From so many letters on, a word is taken for a longer one that it begins. */
const STEM_CHARS = 4;

/** An agent that puts a request into one of the queues, and says how sure it is. */
export function specialist(queues: readonly string[]): AgentDefinition {
  const route = tool({
    name: TOOL,
    description: 'Puts the request into one queue.',
    input: z.object({ [FIELD]: z.enum(queues) }),
    effect: 'pure',
    run: () => 'Done.',
  });
  return agent({
    name: 'specialist',
    system: `You choose the queue for a request, and put the request into it with ${TOOL}. What earlier requests have shown stands in <memory>.`,
    model: scripted(policy),
    tools: [route],
  });
}

/** Adds up, for each value of the tool, what its name shares with the request and the points that the memory gives it. */
export const policy: ScriptedPolicy = (request) => {
  if (request.messages.length > 1) return 'It is in its queue.';
  const choice = choose(request);
  return [{ tool: TOOL, input: { [FIELD]: choice.value }, decision: { confidence: choice.confidence } }];
};

export interface Choice {
  value: string;
  /** From 0 to 1. */
  confidence: number;
}

/** What the policy decides on for a request that it sees for the first time. */
export function choose(request: ModelRequest): Choice {
  const words = [...phrasesOf(taskIn(request), 1)];
  const points = new Map(optionsIn(request).map((option) => [option, NAME_POINTS * nameOverlap(option, words)]));
  for (const { field, value, cues } of readChoices(request)) {
    if (field !== FIELD || !points.has(value)) continue;
    points.set(
      value,
      cues.reduce((sum, cue) => sum + cue.points, points.get(value)!),
    );
  }
  return likeliest(points);
}

/** The value of most points, the first of equals, with its share of the odds. */
function likeliest(points: ReadonlyMap<string, number>): Choice {
  let value = '';
  let most = -Infinity;
  for (const [option, score] of points) if (score > most) [value, most] = [option, score];
  let odds = 0;
  for (const score of points.values()) odds += Math.exp((score - most) / POINTS_PER_UNIT);
  return { value, confidence: 1 / odds };
}

/** Words of the name that the request says, over the root of the name's length. */
function nameOverlap(name: string, words: readonly string[]): number {
  const parts = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const said = parts.filter((part) => words.some((word) => alike(part, word)));
  return said.length / Math.sqrt(Math.max(1, parts.length));
}

function alike(a: string, b: string): boolean {
  return a === b || (Math.min(a.length, b.length) >= STEM_CHARS && (a.startsWith(b) || b.startsWith(a)));
}

function taskIn({ messages }: ModelRequest): string {
  const block = messages[0]!.content.at(-1);
  return block?.type === 'text' ? block.text : '';
}

function optionsIn({ tools }: ModelRequest): readonly string[] {
  const properties = tools.find(({ name }) => name === TOOL)!.input_schema['properties'] as Record<string, { enum: readonly string[] }>;
  return properties[FIELD]!.enum;
}
