import {
  DreamfoldError,
  idFrom,
  isDreamfoldError,
  isPlainText,
  knownEvent,
  streamOf,
  newEvent,
  text,
  textOf,
  type Caps,
  type Content,
  type Criterion,
  type DefineOutcome,
  type MemoryPin,
  type NewEvent,
} from '@dreamfold/events';
import { givenContent, DEFAULT_CAPS, principalFields, type GivenBlock, type Principal } from '@dreamfold/core';
import type { Log } from '@dreamfold/log';
import { checkTakes, type Model } from '@dreamfold/model';
import type { AgentDefinition, RubricDefinition } from '../team/definitions.ts';
import { sha256 } from '../digest.ts';
import type { Team } from '../team/team.ts';

export interface NewSession {
  team: Team;
  /** In words, or as `storeGiven` gives it. */
  task: string | Content;
  /** Default `default`, claimed. */
  principal?: string | Principal;
  title?: string;
  rubric?: RubricDefinition;
  caps?: Partial<Caps>;
  memory?: readonly MemoryPin[];
  /** The same key gives the same session. */
  idempotencyKey?: string;
}

/**
 * A name that no model has is said at once, not when the first request is due, nor when the work is done and is to be graded.
 * @throws DreamfoldError unknown_model, config_invalid (the model has no key)
 */
export function checkModels({ team, rubric }: Pick<NewSession, 'team' | 'rubric'>, models: (name: string) => Model): void {
  for (const { name, model } of team.agents.values()) checkModel(model, { who: `Agent ${name}`, path: `team/${name}/model`, models });
  for (const { id, grader } of rubric?.criteria ?? []) {
    if (grader.kind === 'model') checkModel(grader.model, { who: `The criterion ${id}`, path: `rubric/${id}/model`, models });
  }
}

function checkModel(model: string | Model, { who, path, models }: { who: string; path: string; models: (name: string) => Model }): void {
  try {
    if (typeof model === 'string') models(model);
  } catch (error) {
    if (!isDreamfoldError(error)) throw error;
    const { code, message, remedy } = error;
    throw new DreamfoldError(code, `${who}: ${message}`, { path, value: model, remedy, cause: error });
  }
}

/**
 * What a session that begins is refused for before anything is written.
 * @throws DreamfoldError invalid_argument, suspicious_unicode (the principal's name), unknown_model, config_invalid
 */
export function checkTask(asked: Pick<NewSession, 'team' | 'task' | 'principal' | 'rubric'>, models: (name: string) => Model): void {
  const { task, team, principal, rubric } = asked;
  if (rubric !== undefined) inWords(task, 'task');
  else if (!Array.isArray(task)) givenContent(task, 'task');
  principalFields(principal);
  checkModels(asked, models);
  if (Array.isArray(task)) checkTaken(task, { agent: team.agents.get(team.snapshot.lead)!, models, path: 'task' });
}

/**
 * That an agent's model takes what it is to be given.
 * @throws DreamfoldError content_unsupported
 */
export function checkTaken(
  content: Content,
  { agent, models, path }: { agent: Pick<AgentDefinition, 'name' | 'model'>; models: (name: string) => Model; path: string },
): void {
  const model = typeof agent.model === 'string' ? models(agent.model) : agent.model;
  checkTakes(model, content, { who: `The agent ${agent.name}`, path });
}

/**
 * What is to be graded: it is asked for in words, since a rubric has no place for more.
 * @throws DreamfoldError invalid_argument
 */
export function inWords(given: string | readonly GivenBlock[], path: string): string {
  const content = givenContent(given, path);
  if (isPlainText(content)) return textOf(content);
  throw new DreamfoldError('invalid_argument', `The ${path} holds more than text, and a rubric grades what was asked for in words`, {
    path,
    remedy: 'Send the images and documents as a message first, and the task with its rubric after it.',
  });
}

export function sessionIdOf(idempotencyKey: string): string {
  return idFrom('session', sha256(idempotencyKey));
}

/** How a session begins: what it is, and what is asked of it. */
export function beginningOf(id: string, options: NewSession): [created: NewEvent, asked: NewEvent] {
  const { title, principal, team, task, rubric, caps, memory = [] } = options;
  const whose = principalFields(principal);
  const created = {
    ...(title === undefined ? {} : { title }),
    ...whose,
    team: team.snapshot,
    caps: { ...DEFAULT_CAPS, ...caps },
    memory: [...memory],
  };
  return [
    newEvent('session.created', 'user', created),
    rubric === undefined
      ? newEvent('user.message', 'user', { content: typeof task === 'string' ? text(task) : task })
      : newEvent('user.define_outcome', 'user', outcomeOf(`${id}/outcome`, inWords(task, 'task'), rubric)),
  ];
}

/** At most so many events of a session come before its task, and its task itself. */
const TASK_WITHIN = 3;

/**
 * That a session was begun with a task. One whose task was erased is taken at its key's word.
 * @throws DreamfoldError idempotency_conflict
 */
export async function checkSameTask(log: Log, id: string, task: string | Content): Promise<void> {
  const begun = await taskOnLog(log, id);
  if (begun === null || JSON.stringify(plainly(begun)) === JSON.stringify(plainly(task))) return;
  throw new DreamfoldError('idempotency_conflict', `The idempotency key of ${id} was used for another task`, {
    path: 'idempotencyKey',
    value: wordsOf(begun).slice(0, 120),
    remedy: 'Use a key of its own for each task.',
  });
}

/** Text alone is its words, whether it was given as words or as blocks. */
function plainly(task: string | Content): string | Content {
  return typeof task !== 'string' && isPlainText(task) ? textOf(task) : task;
}

function wordsOf(task: string | Content): string {
  return typeof task === 'string' ? task : textOf(task);
}

async function taskOnLog(log: Log, id: string): Promise<string | Content | null> {
  for await (const batch of log.read(streamOf('session', id), { to: TASK_WITHIN })) {
    for (const logged of batch) {
      const event = knownEvent(logged);
      if (event === null || event.data === null) continue;
      if (event.type === 'user.message') return event.data.content;
      if (event.type === 'user.define_outcome') return event.data.description;
    }
  }
  return null;
}

/** What is asked for with a rubric. @param cause what the outcome's id follows from; no two outcomes of a session have one */
export function outcomeOf(cause: string, task: string, rubric: RubricDefinition): DefineOutcome {
  const criteria: Criterion[] = rubric.criteria.map(({ id, ask, weight, grader }) => ({
    id,
    ask,
    weight,
    grader:
      grader.kind === 'code'
        ? { kind: 'code', name: grader.name }
        : grader.kind === 'model'
          ? { kind: 'model', model: typeof grader.model === 'string' ? grader.model : 'custom' }
          : { kind: 'person' },
  }));
  const lines = criteria.map((c) => `- ${c.id} (weight ${c.weight}): ${c.ask}`);
  return {
    outcome_id: idFrom('outcome', sha256(cause)),
    description: task,
    rubric: { type: 'text', content: [rubric.text, ...lines].filter((line) => line !== '').join('\n') },
    max_iterations: rubric.maxIterations,
    df_criteria: criteria,
    df_pass_score: rubric.passScore,
  };
}
