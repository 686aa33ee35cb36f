import { checked, optionsOf } from '@dreamfold/events';
import { givenContent, type GivenBlock, type Principal } from '@dreamfold/core';
import type { Model } from '@dreamfold/model';
import { z } from 'zod';
import {
  AnyModel,
  checkTask,
  compileTeam,
  PrincipalShape,
  RubricShape,
  type AgentDefinition,
  type RubricDefinition,
} from '@dreamfold/runtime';
import { modelsByName } from './models.ts';

export interface CheckRunOptions {
  /** As `open` is given them. */
  models?: Readonly<Record<string, Model>>;
  /** What the result is judged by. */
  rubric?: RubricDefinition | undefined;
  /** Whose request it is. */
  principal?: string | Principal | undefined;
}

const Options = optionsOf<CheckRunOptions>({
  models: z.record(z.string(), AnyModel).optional(),
  rubric: RubricShape.optional(),
  principal: PrincipalShape.optional(),
});

/**
 * Whether a lead could be given a task, before there is a log to run it on.
 * @param lead who gets it
 * @param task in words, or in blocks
 * @throws DreamfoldError invalid_argument, suspicious_unicode (the principal's name), invalid_team, delegation_cycle, unknown_model, config_invalid (a model has no key), content_unsupported
 */
export function checkRun(lead: AgentDefinition, task: string | readonly GivenBlock[], options: CheckRunOptions = {}): void {
  const { models = {}, rubric, principal } = checked(Options, options, { what: 'checkRun()' });
  const asked = { ...(rubric === undefined ? {} : { rubric }), ...(principal === undefined ? {} : { principal }) };
  checkTask(
    { team: compileTeam(lead), task: Array.isArray(task) ? givenContent(task, 'task') : (task as string), ...asked },
    modelsByName(models),
  );
}
