import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checked, functionOf, kindOf, oneOf, optionsOf, type DreamfoldError } from '../index.ts';

interface Refund {
  policy: 'always_ask' | 'deny';
  limits?: { turns?: number };
  run?: () => void;
}
const Schema = optionsOf<Refund>({
  policy: z.enum(['always_ask', 'deny']),
  limits: optionsOf<{ turns?: number }>({ turns: z.int().optional() }).optional(),
  run: functionOf<() => void>().optional(),
});
const errorOf = (value: unknown): DreamfoldError => {
  try {
    checked(Schema, value as Refund, { what: 'The tool refund', code: 'invalid_team', at: 'tools' });
  } catch (error) {
    return error as DreamfoldError;
  }
  return expect.unreachable();
};

describe('options', () => {
  test('that are right are given back', () => {
    const run = (): void => {};
    expect(checked(Schema, { policy: 'deny', limits: { turns: 1 }, run }, { what: 'x' })).toEqual({
      policy: 'deny',
      limits: { turns: 1 },
      run,
    });
    expect(checked(Schema, Object.assign(Object.create(null) as Refund, { policy: 'deny' }), { what: 'x' })).toEqual({ policy: 'deny' });
  });

  test.each<[value: unknown, path: string, says: RegExp, remedy: RegExp]>([
    [
      { polcy: 'deny', policy: 'deny' },
      'tools/polcy',
      /^The tool refund: .*no "polcy"; did you mean "policy"\?/,
      /^Write policy\. .*policy, limits, run/,
    ],
    [{ policy: 'deny', limits: { turn: 1 } }, 'tools/limits/turn', /did you mean "turns"/, /^Write turns\. All that can be given: turns\./],
    [{ policy: 'deny', colour: 'red' }, 'tools/colour', /there is no "colour"$/, /^Give policy, limits, run\./],
    [{ policy: 'ask' }, 'tools/policy', /"always_ask"\|"deny"/, /Correct/],
    [{ policy: 'deny', limits: new Map([['turns', 3]]) }, 'tools/limits', /expected an object of options, received Map/, /Correct/],
    [
      {
        policy: 'deny',
        run: class Run {
          readonly is = 'odd';
        },
      },
      'tools/run',
      /expected a function, received a class/,
      /Correct/,
    ],
    [Promise.resolve({}), 'tools', /received Promise/, /Correct/],
    [undefined, 'tools', /received undefined/, /Correct/],
  ])('%o are refused at %s', (...[value, path, says, remedy]) => {
    const error = errorOf(value);
    expect(error).toMatchObject({ code: 'invalid_team', path, message: expect.stringMatching(says) as string });
    expect(error.remedy).toMatch(remedy);
  });

  test('that throw when they are read are refused, and so is what JSON cannot hold', () => {
    const throws = {
      get policy(): never {
        throw new TypeError('no');
      },
    };
    expect(errorOf(throws).message).toBe("The tool refund: can't be read: no");
    const cycle: { policy?: unknown } = {};
    cycle.policy = cycle;
    expect(JSON.parse(JSON.stringify(errorOf(cycle)))).toMatchObject({ path: 'tools/policy', value: 'an object' });
  });

  test('of which one is very long are not said back whole', () => {
    const long = 'x'.repeat(100_000);
    for (const error of [errorOf({ policy: long }), errorOf({ policy: 'deny', [long]: 1 }), errorOf(long)])
      expect(JSON.stringify(error).length).toBeLessThan(2000);
  });
});

test('one of many names', () => {
  const Type = oneOf('a type of event', ['agent.message', 'user.message']);
  expect(checked(Type, 'user.message', { what: 'on()' })).toBe('user.message');
  expect(() => checked(Type, 'agent.mesage', { what: 'on()' })).toThrow(/did you mean "agent.message"/);
  expect(() => checked(Type, 'x', { what: 'on()' })).toThrow(/expected a type of event, received "x"$/);
});

test.each<[unknown, string]>([
  ['short', '"short"'],
  ['x'.repeat(61), 'a text of 61 characters'],
  [null, 'null'],
  [[], 'an empty list'],
  [{}, 'an object'],
  [new Map(), 'Map'],
  [() => 1, 'a function'],
  [Symbol('x'), 'a symbol'],
  [1n, '1'],
])('%o is called %s', (value, words) => {
  expect(kindOf(value)).toBe(words);
});
