import { DreamfoldError } from '@dreamfold/events';
import type { Decision } from '../port.ts';
import { type JsonMember, type JsonNode, JsonSyntaxError, readJson } from './positioned-json.ts';

const FAILURES = ['overloaded', 'rate_limited', 'timeout', 'refusal', 'cut'] as const;
export type Failure = (typeof FAILURES)[number];

/** One thing that the scripted model does within a turn. */
export type TurnStep =
  | { do: 'say'; text: string; decision?: Decision }
  | { do: 'call'; tool: string; input: unknown; decision?: Decision }
  | { do: 'think'; text: string }
  | { do: 'sleep'; ms: number }
  | { do: 'fail'; how: Failure };

/** What is done at each request, in order: a turn ends with the calls that it waits for, or with its steps. */
export type Turns = readonly (readonly TurnStep[])[];

export interface Script {
  turns: Turns;
  /** What is done at the first text without a script of its own that follows, at the second, and so on: what a rubric sends back is one. */
  later: readonly Turns[];
}

/** One evaluation: the verdict, and scores for the criteria that are named. */
export interface Grade {
  verdict: 'satisfied' | 'needs_revision';
  criteria: ReadonlyMap<string, number>;
}

/** A line of text that holds a directive: the whole line, and where the JSON begins in it. */
interface DirectiveLine {
  name: '@script' | '@grade';
  line: string;
  lineNumber: number;
  jsonAt: number;
}

/**
 * The script in a text: the last line that begins with `@script`, or holds `@script [` after a blank.
 * @returns null when no line does
 * @throws DreamfoldError invalid_directive, naming line and column
 */
export function parseScript(text: string): Script | null {
  const found = findDirective(text, '@script');
  return found === null ? null : readDirective(found, scriptOf);
}

/**
 * The grades in a rubric, one for each evaluation; the last one repeats.
 * @param criteriaIds the criteria that a grade may name
 * @returns null when no line holds a `@grade`
 * @throws DreamfoldError invalid_directive, naming line and column
 */
export function parseGrades(rubric: string, criteriaIds: readonly string[]): readonly Grade[] | null {
  const found = findDirective(rubric, '@grade');
  if (found === null) return null;
  return readDirective(found, (grades, at) => {
    if (grades.length === 0) throw new JsonSyntaxError('@grade needs at least one verdict', at);
    return grades.map((grade) => gradeOf(grade, criteriaIds));
  });
}

function findDirective(text: string, name: DirectiveLine['name']): DirectiveLine | null {
  if (!text.includes(name)) return null;
  const pattern = new RegExp(`^[ \\t]*${name}(?![\\w-])|[ \\t]${name}(?=[ \\t]*\\[)`);
  const lines = text.split(/\r?\n/);
  for (let i = lines.length - 1; i >= 0; i -= 1) {
    const line = lines[i]!;
    const found = pattern.exec(line);
    if (found !== null) return { name, line, lineNumber: i + 1, jsonAt: found.index + found[0].length };
  }
  return null;
}

function readDirective<T>(directive: DirectiveLine, read: (items: readonly JsonNode[], at: number) => T): T {
  const { name, line, lineNumber, jsonAt } = directive;
  try {
    const root = readJson(line, jsonAt);
    if (root.items === undefined) throw new JsonSyntaxError(`${name} is followed by a JSON array`, root.at);
    return read(root.items, root.at);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const place = `line ${lineNumber}, column ${error.at + 1}`;
    throw new DreamfoldError('invalid_directive', `${name}, ${place}: ${error.message}`, {
      path: place,
      value: line.slice(Math.max(0, error.at - 20), error.at + 20),
      remedy: `Correct the ${name} line at that column; the whole directive stands on one line, as JSON.`,
    });
  }
}

function scriptOf(steps: readonly JsonNode[]): Script {
  const first = steps.findIndex((step) => step.members?.has('then'));
  const later = first < 0 ? [] : steps.slice(first);
  return { turns: turnsOf(first < 0 ? steps : steps.slice(0, first)), later: later.map(laterTurns) };
}

function laterTurns(step: JsonNode): Turns {
  const { members } = step;
  if (members?.has('then') !== true) throw new JsonSyntaxError('after a then there is nothing but another then', step.at);
  checkKeys(step, members, ['then']);
  const { node } = members.get('then')!;
  if (node.items === undefined || node.items.length === 0) throw new JsonSyntaxError('then holds an array of steps', node.at);
  return turnsOf(node.items);
}

function turnsOf(steps: readonly JsonNode[]): Turns {
  const turns: TurnStep[][] = [];
  let turn: TurnStep[] = [];
  const decision = new PendingDecision();
  for (const step of steps) {
    if (step.items === undefined) turn.push(...stepOf(step, decision));
    else turn.push(...callsOf(step, step.items, decision));
    const last = turn.at(-1);
    if (last?.do === 'call' || (last?.do === 'fail' && last.how === 'refusal')) {
      turns.push(turn);
      turn = [];
    }
  }
  decision.checkTaken();
  if (turn.length > 0) turns.push(turn);
  return turns;
}

/** The confidence that the next step takes with it. */
class PendingDecision {
  #set: { at: number; confidence: number } | null = null;

  set(at: number, confidence: number): void {
    this.checkTaken();
    this.#set = { at, confidence };
  }

  take(): { decision?: Decision } {
    const taken = this.#set;
    this.#set = null;
    return taken === null ? {} : { decision: { confidence: taken.confidence } };
  }

  checkTaken(): void {
    if (this.#set !== null)
      throw new JsonSyntaxError('confidence belongs to the say, tool or delegate that follows; none does', this.#set.at);
  }
}

/** An inner array: calls of one turn. A confidence before it holds for all of them, one inside it for the next. */
function callsOf(array: JsonNode, items: readonly JsonNode[], decision: PendingDecision): TurnStep[] {
  const shared = decision.take();
  const calls: TurnStep[] = [];
  for (const item of items) {
    const [key] = item.members?.keys() ?? [];
    if (item.members === undefined || !(item.members.has('tool') || item.members.has('delegate') || item.members.has('confidence'))) {
      throw new JsonSyntaxError(`an inner array holds tool and delegate steps${key === undefined ? '' : `, not ${key}`}`, item.at);
    }
    calls.push(...stepOf(item, decision).map((call) => ({ ...shared, ...call })));
  }
  decision.checkTaken();
  if (calls.length === 0) throw new JsonSyntaxError('an inner array needs at least one tool or delegate step', array.at);
  return calls;
}

/** The keys of each step; the first one names it, and a `?` follows those that can be left out. */
const STEP_KEYS = [
  ['say'],
  ['tool', 'input?'],
  ['delegate', 'message'],
  ['sleep_ms'],
  ['think'],
  ['confidence'],
  ['fail'],
  ['then'],
] as const;

function stepOf(step: JsonNode, decision: PendingDecision): TurnStep[] {
  const keys = STEP_KEYS.find(([name]) => step.members?.has(name));
  const members = step.members;
  if (members === undefined) throw new JsonSyntaxError('a step is an object, or an array of tool and delegate steps', step.at);
  if (keys === undefined) {
    const [unknown] = members;
    const names = STEP_KEYS.map(([name]) => name).join(', ');
    throw new JsonSyntaxError(
      unknown === undefined ? `a step is one of ${names}` : `no step is called ${JSON.stringify(unknown[0])}; a step is one of ${names}`,
      unknown?.[1].keyAt ?? step.at,
    );
  }
  checkKeys(step, members, keys);
  const field = (key: string): JsonNode => members.get(key)!.node;
  switch (keys[0]) {
    case 'say':
      return [{ do: 'say', text: textOf(field('say'), 'say'), ...decision.take() }];
    case 'tool': {
      const input = members.get('input')?.node;
      if (input !== undefined && input.members === undefined) throw new JsonSyntaxError('input must be an object', input.at);
      return [{ do: 'call', tool: textOf(field('tool'), 'tool'), input: input?.value ?? {}, ...decision.take() }];
    }
    case 'delegate': {
      const input = { agent: textOf(field('delegate'), 'delegate'), message: textOf(field('message'), 'message') };
      return [{ do: 'call', tool: 'delegate', input, ...decision.take() }];
    }
    case 'sleep_ms':
      return [{ do: 'sleep', ms: millisecondsOf(field('sleep_ms')) }];
    case 'think':
      return [{ do: 'think', text: textOf(field('think'), 'think') }];
    case 'confidence':
      decision.set(step.at, fractionOf(field('confidence'), 'confidence'));
      return [];
    case 'fail':
      return [{ do: 'fail', how: oneOf(field('fail'), FAILURES, 'fail') }];
    case 'then':
      throw new JsonSyntaxError('a then stands at the end of the script, not inside another step', step.at);
  }
}

function checkKeys(node: JsonNode, members: ReadonlyMap<string, JsonMember>, keys: readonly string[]): void {
  const names = keys.map((key) => key.replace('?', ''));
  for (const [key, member] of members) {
    if (!names.includes(key)) throw new JsonSyntaxError(`${JSON.stringify(key)} does not belong to a ${names[0]} step`, member.keyAt);
  }
  for (const key of keys) {
    if (!key.endsWith('?') && !members.has(key)) throw new JsonSyntaxError(`a ${names[0]} step needs ${JSON.stringify(key)}`, node.at);
  }
}

function gradeOf(node: JsonNode, criteriaIds: readonly string[]): Grade {
  const verdicts = ['satisfied', 'needs_revision'] as const;
  const { members } = node;
  if (members === undefined) return { verdict: oneOf(node, verdicts, 'a verdict'), criteria: new Map() };
  checkKeys(node, members, ['verdict', 'criteria?']);
  const scores = members.get('criteria')?.node;
  if (scores !== undefined && scores.members === undefined) throw new JsonSyntaxError('criteria must be an object of scores', scores.at);
  const criteria = new Map<string, number>();
  for (const [id, score] of scores?.members ?? []) {
    if (!criteriaIds.includes(id)) {
      throw new JsonSyntaxError(`the rubric has no criterion ${JSON.stringify(id)}; it has ${criteriaIds.join(', ')}`, score.keyAt);
    }
    criteria.set(id, fractionOf(score.node, 'a score'));
  }
  return { verdict: oneOf(members.get('verdict')!.node, verdicts, 'verdict'), criteria };
}

function textOf(node: JsonNode, name: string): string {
  if (typeof node.value !== 'string' || node.value === '') throw new JsonSyntaxError(`${name} must be text that is not empty`, node.at);
  return node.value;
}

function fractionOf(node: JsonNode, name: string): number {
  if (typeof node.value !== 'number' || node.value < 0 || node.value > 1)
    throw new JsonSyntaxError(`${name} must be a number from 0 to 1`, node.at);
  return node.value;
}

function millisecondsOf(node: JsonNode): number {
  const day = 86_400_000;
  if (!Number.isInteger(node.value) || (node.value as number) < 0 || (node.value as number) > day) {
    throw new JsonSyntaxError(`sleep_ms must be a whole number from 0 to ${day}`, node.at);
  }
  return node.value as number;
}

function oneOf<const T extends string>(node: JsonNode, values: readonly T[], name: string): T {
  const found = values.find((value) => value === node.value);
  if (found === undefined) throw new JsonSyntaxError(`${name} must be one of ${values.join(', ')}`, node.at);
  return found;
}
