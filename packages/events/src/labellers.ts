import { z } from 'zod';
import { canonicalName } from './names.ts';

/** Who says what was right, by how far it is from the matter: see {@link LABELLER_WEIGHT}. */
export const LabellerClass = z.enum(['desk', 'person', 'grader', 'customer']);
export type LabellerClass = z.infer<typeof LabellerClass>;

/**
 * Of several labels of one decision the one of the greatest weight counts, and of those the newest.
 *
 * | class      | weight | who                                                              | can a store apply it by itself |
 * |------------|--------|------------------------------------------------------------------|--------------------------------|
 * | `desk`     | 4      | whoever does the work that was decided on, and sees how it ended | yes                            |
 * | `person`   | 3      | anybody else of the operator's                                   | yes                            |
 * | `grader`   | 2      | a program or a model                                             | yes                            |
 * | `customer` | 1      | whose request it was: a party to the matter                      | no: a person decides           |
 */
export const LABELLER_WEIGHT: Readonly<Record<LabellerClass, number>> = { desk: 4, person: 3, grader: 2, customer: 1 };

/** Whether what such labellers say can be applied without a person. */
export function isTrustedLabeller(labeller: LabellerClass): boolean {
  return labeller !== 'customer';
}

/** The class of a label that says none: `customer` for the principal of the session itself, `person` for anybody else. */
export function labellerClassOf({ by, class: given }: { by: string; class?: LabellerClass | undefined }, principal: string): LabellerClass {
  if (given !== undefined) return given;
  const [labeller, own] = [canonicalName(by), canonicalName(principal)];
  return labeller === own || labeller === `customer:${own}` ? 'customer' : 'person';
}
