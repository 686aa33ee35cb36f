// The work that every column does, with a model that answers at once: what is left is the cost of the framework.
//
//   single  one agent, 50 turns with one tool call each, then an answer       51 model calls, 50 tool calls
//   team    a lead delegates to 8 specialists in one answer; each makes       2 + 8 × 6 = 50 model calls, 40 tool calls
//           5 turns with one tool call each, then answers

export const SCENARIOS = ['single', 'team'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Which conversation a model answers in. */
export type Role = 'single' | 'lead' | 'specialist';

export const TOOL_NAME = 'lookup';
export const TOOL_DESCRIPTION = 'Look up record number i';
export const PROMPT = 'Process every record and summarise.';
export const SYSTEM = 'You are a careful worker. Use the lookup tool once per record.';
export const FINAL = 'All records processed; summary follows. '.padEnd(200, '.');

export interface WorkloadSize {
  turns: number;
  specialists: number;
  specialistTurns: number;
}

export const STANDARD_SIZE: WorkloadSize = { turns: 50, specialists: 8, specialistTurns: 5 };

export type Answer =
  | { kind: 'call'; id: string; input: { i: number } }
  | { kind: 'delegate'; calls: { id: string; agent: string; task: string }[] }
  | { kind: 'text'; text: string };

export interface Counters {
  model: number;
  tool: number;
}

/** The model's answers and the tool, with a count of both. */
export class Workload {
  readonly size: WorkloadSize;
  readonly specialists: readonly string[];
  readonly counters: Counters = { model: 0, tool: 0 };
  #ids = 0;

  constructor(size: WorkloadSize = STANDARD_SIZE) {
    this.size = size;
    this.specialists = Array.from({ length: size.specialists }, (_, i) => `specialist_${i + 1}`);
  }

  /** What one run of a scenario must count. A step is a model call. */
  expected(scenario: Scenario): Counters {
    const { turns, specialists, specialistTurns } = this.size;
    return scenario === 'single'
      ? { model: turns + 1, tool: turns }
      : { model: 2 + specialists * (specialistTurns + 1), tool: specialists * specialistTurns };
  }

  /** The tool. */
  lookup(i: number): string {
    this.counters.tool += 1;
    return `record ${i}: `.padEnd(256, 'x');
  }

  /** The model. @param toolResults how many the conversation holds so far */
  decide(role: Role, toolResults: number): Answer {
    this.counters.model += 1;
    if (role === 'lead') {
      if (toolResults > 0) return { kind: 'text', text: FINAL };
      return { kind: 'delegate', calls: this.specialists.map((agent) => ({ id: this.#callId(), agent, task: `Handle part ${agent}` })) };
    }
    const turns = role === 'single' ? this.size.turns : this.size.specialistTurns;
    return toolResults < turns ? { kind: 'call', id: this.#callId(), input: { i: toolResults } } : { kind: 'text', text: FINAL };
  }

  #callId(): string {
    this.#ids += 1;
    return `call_${this.#ids.toString(36)}`;
  }

  /**
   * Checks that so many runs did the whole work, and begins to count anew: a column that skips work would look fast.
   * @throws RangeError
   */
  settle(scenario: Scenario, runs: number): void {
    const { model, tool } = this.expected(scenario);
    const counted = { ...this.counters };
    this.counters.model = 0;
    this.counters.tool = 0;
    if (counted.model === model * runs && counted.tool === tool * runs) return;
    throw new RangeError(
      `${runs} runs of ${scenario} made ${counted.model} model calls and ${counted.tool} tool calls instead of ${model * runs} and ${tool * runs}`,
    );
  }
}

/** Checks a run's answer. @throws RangeError */
export function checkAnswer(text: string): void {
  if (text !== FINAL) throw new RangeError(`a run ended with ${JSON.stringify(text.slice(0, 80))} instead of the model's last answer`);
}
