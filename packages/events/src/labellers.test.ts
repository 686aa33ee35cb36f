import { expect, it } from 'vitest';
import { LABELLER_WEIGHT, LabellerClass, isTrustedLabeller, labellerClassOf } from './labellers.ts';

it('each class has a weight of its own, and a customer the least', () => {
  const weights = LabellerClass.options.map((labeller) => LABELLER_WEIGHT[labeller]);
  expect(weights).toEqual(weights.toSorted((a, b) => b - a));
  expect(new Set(weights).size).toBe(weights.length);
  expect(LabellerClass.options.filter((labeller) => !isTrustedLabeller(labeller))).toEqual(['customer']);
});

it.each([
  ['ann', 'ann', 'customer'],
  ['Ann ', 'ann', 'customer'],
  ['rene\u0301', 'Ren\u00e9', 'customer'],
  ['customer:Ann', 'ann', 'customer'],
  ['customer:bob', 'ann', 'person'],
  ['desk', 'ann', 'person'],
] as const)('%s on a session of %s is a %s, when nobody says otherwise', (by, principal, labeller) => {
  expect(labellerClassOf({ by }, principal)).toBe(labeller);
  expect(labellerClassOf({ by, class: 'grader' }, principal)).toBe('grader');
});
