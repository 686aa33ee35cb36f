import type { Model } from '@dreamfold/model';
import { checkTask, compileTeam, type AgentDefinition, type RubricDefinition } from '@dreamfold/runtime';
import { modelsByName } from './models.ts';

/**
 * Whether a lead could be given a task, before there is a log to run it on.
 * @param lead who gets it
 * @param task in words
 * @param options `models` as `open` is given them, and the `rubric` that the result is judged by
 * @throws DreamfoldError invalid_argument, invalid_team, delegation_cycle, unknown_model, config_invalid (a model has no key)
 */
export function checkRun(
  lead: AgentDefinition,
  task: string,
  { models = {}, rubric }: { models?: Readonly<Record<string, Model>>; rubric?: RubricDefinition | undefined } = {},
): void {
  checkTask({ team: compileTeam(lead), task, ...(rubric === undefined ? {} : { rubric }) }, modelsByName(models));
}
