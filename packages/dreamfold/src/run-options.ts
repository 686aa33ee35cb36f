import { z } from 'zod';
import { Caps, DreamfoldError } from '@dreamfold/events';
import type { Principal } from '@dreamfold/core';
import type { RubricDefinition } from '@dreamfold/runtime';

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

// Strict: a limit that is spelt wrong must not be no limit.
const Checked = z.strictObject({
  principal: z.union([z.string(), z.strictObject({ id: z.string(), authenticated: z.boolean().optional() })]).optional(),
  title: z.string().optional(),
  rubric: z.looseObject({}).optional(),
  caps: Caps.partial().strict().optional(),
  memory: z.array(z.string().min(1)).optional(),
  idempotencyKey: z.string().min(1).optional(),
});

/** @throws DreamfoldError invalid_argument, with the option as path */
export function checkRunOptions(options: RunOptions): void {
  const checked = Checked.safeParse(options, { reportInput: true });
  if (checked.success) return;
  const issue = checked.error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...issue.path, ...unknown].join('/');
  const known = Object.keys((issue.path[0] === 'caps' ? Caps : Checked).shape).join(', ');
  throw new DreamfoldError('invalid_argument', `The options of run: ${path || 'options'}: ${issue.message}`, {
    path: path || 'options',
    value: issue.input,
    remedy: unknown.length > 0 ? `Give ${known}.` : 'Correct the value.',
  });
}
