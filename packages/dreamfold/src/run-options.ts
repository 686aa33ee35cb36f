import { z } from 'zod';
import { Caps, optionsOf, Text } from '@dreamfold/events';
import type { Principal } from '@dreamfold/core';
import { PrincipalShape, RubricShape, type RubricDefinition } from '@dreamfold/runtime';

export interface RunOptions {
  /**
   * Whose request it is: a customer, a tenant, a repository. Default `default`. A bare name is only claimed: dreams of a store
   * that applies changes by itself count it for nothing. `{ id, authenticated: true }` says that you have checked who it is.
   */
  principal?: string | Principal;
  title?: string;
  rubric?: RubricDefinition;
  caps?: Partial<Caps>;
  /** Names of the memory stores that every agent of the team reads. */
  memory?: readonly string[];
  /** The same key starts one session, however often it is run. */
  idempotencyKey?: string;
}

export const RunOptionsShape = optionsOf<RunOptions>({
  principal: PrincipalShape.optional(),
  title: z.string().optional(),
  rubric: RubricShape.optional(),
  caps: optionsOf<Partial<Caps>>(Caps.partial().shape).optional(),
  memory: z.array(Text).optional(),
  idempotencyKey: Text.optional(),
});
