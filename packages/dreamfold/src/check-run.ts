import { checked } from '@dreamfold/events';
import type { Model } from '@dreamfold/model';
import { z } from 'zod';
import { AnyModel, checkTask, compileTeam, type AgentDefinition } from '@dreamfold/runtime';
import { modelsByName } from './models.ts';

/**
 * Whether a lead could be given a task, before there is a log to run it on.
 * @param models what `open` is given
 * @throws DreamfoldError invalid_argument, invalid_team, delegation_cycle, unknown_model
 */
export function checkRun(lead: AgentDefinition, task: string, models: Readonly<Record<string, Model>> = {}): void {
  checked(z.record(z.string(), AnyModel), models, { what: 'checkRun()', name: 'models' });
  checkTask({ team: compileTeam(lead), task }, modelsByName(models));
}
