import {
  streamOf,
  text,
  newEvent,
  type AgentSnapshot,
  type Caps,
  type Criterion,
  type LogEvent,
  type NewEvent,
  type ToolSnapshot,
} from '@dreamfold/events';
import { NO_MEMORY } from '../memory/prompt/select.ts';
import { decideSession, openWork, type DecideContext, type Work } from '../session/decide.ts';
import { settle } from '../settle.ts';
import { evolveSession } from '../session/fold/evolve.ts';
import { modelAnswered, type Answer } from '../session/answer.ts';
import { toolFinished, type ToolOutput } from '../session/tool-finished.ts';
import { initialSession, DEFAULT_CAPS, NO_USAGE, type SessionState, type Thread } from '../session/fold/state.ts';

const SESSION = 'sesn_given';

export interface GivenTeam {
  /** The first is the lead. */
  agents: readonly AgentSnapshot[];
  caps?: Partial<Caps>;
  /** With criteria, the task is an outcome to reach. */
  criteria?: readonly Criterion[];
  passScore?: number;
  maxIterations?: number;
}

export type GivenPart = string | { tool: string; input?: unknown };

/** Agents, tools and criteria with everything filled in that a test does not name. */
export function givenAgent(name: string, agent: Partial<AgentSnapshot> = {}): AgentSnapshot {
  return { name, description: '', model: 'm', system: name, tools: [], roster: [], max_tokens: 100, context_window: 1000, ...agent };
}

export function givenTool(name: string, tool: Partial<ToolSnapshot> = {}): ToolSnapshot {
  return { name, description: '', input_schema: { type: 'object' }, policy: 'always_allow', effect: 'pure', ...tool };
}

export function givenCriterion(id: string, criterion: Partial<Criterion> = {}): Criterion {
  return { id, ask: `Is it ${id}?`, weight: 1, grader: { kind: 'code', name: id }, ...criterion };
}

/** A stand-in for sha-256 that needs no crypto: good for telling texts apart, and for nothing else. */
export function textDigest(value: string): string {
  let digest = '';
  for (let round = 1; digest.length < 43; round += 1) {
    let hash = round;
    for (let i = 0; i < value.length; i += 1) hash = Math.imul(hash ^ value.charCodeAt(i), 16_777_619) >>> 0;
    digest += hash.toString(36);
  }
  return digest.slice(0, 43);
}

/**
 * A session without log, models and tools: given what happened, when something comes, then these events follow. What comes is folded
 * with all that follows from it, as a processor appends it.
 */
export class GivenSession {
  state: SessionState;
  readonly events: LogEvent[] = [];
  readonly context: DecideContext = {
    sha256: textDigest,
    checkInput: (agent, tool, input) => this.check(agent, tool, input),
    memoryFor: () => NO_MEMORY,
    requestDigest: (_, thread) => textDigest(`${thread.id} ${thread.messages.length} ${thread.pending.length}`),
  };
  /** What the tools' schemas make of inputs. */
  check: DecideContext['checkInput'] = () => ({ fits: true });
  /** Of the next events; they take no time by themselves. */
  now = 1000;

  constructor(task: string, { agents, caps, criteria, passScore = 1, maxIterations = 3 }: GivenTeam) {
    this.state = initialSession(SESSION);
    const created = {
      principal: 'ann',
      team: { lead: agents[0]!.name, agents: [...agents] },
      caps: { ...DEFAULT_CAPS, ...caps },
      memory: [],
    };
    const outcome = {
      outcome_id: 'outc_1',
      description: task,
      rubric: { type: 'text' as const, content: 'The rubric.' },
      max_iterations: maxIterations,
      df_pass_score: passScore,
    };
    this.when(() => [
      newEvent('session.created', 'user', created),
      newEvent('session.claimed', 'system', { nonce: 'n' }),
      criteria === undefined
        ? newEvent('user.message', 'user', { content: text(task) })
        : newEvent('user.define_outcome', 'user', { ...outcome, df_criteria: [...criteria] }),
    ]);
  }

  /** Folds what is built, and what follows from it. @returns the types of all of that, in order */
  when(build: (state: SessionState, appendId: string) => readonly NewEvent[]): string[] {
    const first = this.events.length;
    const appendId = `sevt_${first}`;
    this.state = settle(this.state, [...build(this.state, appendId)], {
      evolve: (state, event) => {
        this.events.push({ ...event, position: event.seq });
        return evolveSession(state, event);
      },
      decide: (state) => decideSession(state, this.context),
      at: { stream: streamOf('session', SESSION), after: first, appendId, time: this.now },
    });
    return this.events.slice(first).map((event) => event.type);
  }

  /** The newest thread of an agent. */
  thread(agent: string): Thread {
    const found = this.state.threads.findLast((thread) => thread.agent === agent);
    if (found === undefined) throw new TypeError(`no thread of ${agent}`);
    return found;
  }

  get work(): Work[] {
    return openWork(this.state);
  }

  /** What is under way, in words: `model lead`, `tool clerk look`, `grade`. */
  get underWay(): string[] {
    return this.work.map((work) => {
      if (work.kind === 'grade') return 'grade';
      const agent = this.state.threads.find((thread) => thread.id === work.threadId)?.agent;
      return work.kind === 'model' ? `model ${agent}` : `tool ${agent} ${work.name}`;
    });
  }

  /** The model of an agent answers the request that its newest thread has open; a thread may be named by its id as well. */
  answers(agent: string, parts: GivenPart | readonly GivenPart[], answer: Partial<Answer> = {}): string[] {
    const asking = this.state.threads.findLast((thread) => (thread.agent === agent || thread.id === agent) && thread.request !== null);
    if (asking?.request == null) throw new TypeError(`${agent} asks nothing`);
    const { id, request } = asking;
    const content = [parts].flat().map(partOf);
    const calls = content.some((block) => block.type === 'tool_use');
    const whole: Answer = { content, stopReason: calls ? 'tool_use' : 'end_turn', usage: NO_USAGE, costUsd: 0, ...answer };
    return this.when((state, appendId) =>
      modelAnswered(state, { threadId: id, startId: request.startId, answer: whole, appendId }, this.context),
    );
  }

  /** A tool that runs comes back. */
  finishes(tool: string, output: string | ToolOutput): string[] {
    const work = this.work.find((open) => open.kind === 'tool' && open.name === tool);
    if (work?.kind !== 'tool') throw new TypeError(`${tool} does not run`);
    return this.when((state) => toolFinished(state, work.callId, typeof output === 'string' ? { text: output } : output));
  }

  /** The payloads of one type, oldest first. */
  dataOf(type: string): Record<string, unknown>[] {
    return this.events.filter((event) => event.type === type).map((event) => event.data as Record<string, unknown>);
  }
}

function partOf(part: GivenPart): Answer['content'][number] {
  return typeof part === 'string' ? { type: 'text', text: part } : { type: 'tool_use', name: part.tool, input: part.input ?? {} };
}
