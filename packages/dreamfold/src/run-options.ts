import { z } from 'zod';
import { Caps, optionsOf, Text } from '@dreamfold/events';
import { RubricShape, type RubricDefinition } from '@dreamfold/runtime';

export interface RunOptions {
  /** Whose request it is: a customer, a tenant, a repository. Default `default`. */
  principal?: string;
  title?: string;
  rubric?: RubricDefinition;
  caps?: Partial<Caps>;
  /** Names of the memory stores that every agent of the team reads. */
  memory?: readonly string[];
  /** The same key starts one session, however often it is run. */
  idempotencyKey?: string;
}

export const RunOptionsShape = optionsOf<RunOptions>({
  principal: Text.max(200).optional(),
  title: z.string().optional(),
  rubric: RubricShape.optional(),
  caps: optionsOf<Partial<Caps>>(Caps.partial().shape).optional(),
  memory: z.array(Text).optional(),
  idempotencyKey: Text.optional(),
});
