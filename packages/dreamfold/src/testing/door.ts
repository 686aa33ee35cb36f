import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isDreamfoldError, type DreamfoldError } from '../index.ts';
import { NEVER, ODD, type Kind, type OddName } from './odd-values.ts';

/** So long may a call take that is given something odd. */
const CALL_LIMIT_MS = 2000;

/** One argument: a good one, what else it takes, and of an options object its fields. */
interface Argument {
  good: unknown;
  kind: Kind;
  fields?: Record<string, Kind>;
  /** It is an object that has more fields than are read here. */
  isLoose?: boolean;
}

export interface Door {
  args: readonly Argument[];
  call: (...args: any[]) => unknown;
  /** What the good arguments end with, if not well. */
  ends?: string;
}

export const value = (good: unknown, kind: Kind): Argument => ({ good, kind });
/** @param fields of each option a good value, and what else it takes */
export function options(fields: Record<string, readonly [good: unknown, kind: Kind]>, kind: Kind = NEVER): Argument {
  const entries = Object.entries(fields);
  return {
    good: Object.fromEntries(entries.map(([name, [good]]) => [name, good])),
    kind,
    fields: Object.fromEntries(entries.map(([name, [, of]]) => [name, of])),
  };
}
export const none = (call: () => unknown): Door => ({ args: [], call });

type Ended = { kind: 'well' } | { kind: 'named'; error: DreamfoldError } | { kind: 'raw'; error: unknown } | { kind: 'hangs' };

async function endOf(call: () => unknown): Promise<Ended> {
  const ended = (async (): Promise<Ended> => {
    try {
      await call();
      return { kind: 'well' };
    } catch (error) {
      return isDreamfoldError(error) ? { kind: 'named', error } : { kind: 'raw', error };
    }
  })();
  return Promise.race([ended, sleep(CALL_LIMIT_MS, { kind: 'hangs' } as const, { ref: false })]);
}

const MAX_ERROR_CHARS = 2500;

/** Why an end is not as it should be; null when it is. */
function fault(ended: Ended, takes: boolean): string | null {
  if (ended.kind === 'well') return takes ? null : 'is taken, without a listed reason';
  if (ended.kind === 'hangs') return 'never ends';
  if (ended.kind === 'raw') return `raw: ${String((ended.error as Error).stack ?? ended.error).slice(0, 300)}`;
  const { error } = ended;
  if (!/\S.{10}/s.test(error.message) || !/^[A-Z].{3}/.test(error.remedy)) return `says too little: ${error.message} / ${error.remedy}`;
  const text = JSON.stringify(error);
  return text.length > MAX_ERROR_CHARS ? `says ${text.length} characters` : null;
}

/** Each call that a door is tried with: what it is called, its arguments, and whether they may be taken. */
function* trials({ args }: Door): Generator<[what: string, args: unknown[], takes: boolean]> {
  const good = args.map((argument) => argument.good);
  for (const [i, { kind, fields = {} }] of args.entries()) {
    for (const [name, make] of Object.entries(ODD)) {
      yield [`argument ${i}: ${name}`, good.with(i, make()), kind.takes.includes(name as OddName)];
      for (const [field, of] of Object.entries(fields))
        yield [`${field}: ${name}`, good.with(i, { ...(good[i] as object), [field]: make() }), of.takes.includes(name as OddName)];
    }
  }
}

/**
 * Tries each door with good arguments, with odd ones in the place of each, and with misspelt options.
 * @param names what there is: each has its line among the doors
 */
export function describeDoors(of: string, doors: Readonly<Record<string, Door>>, names: readonly string[]): void {
  describe(of, () => {
    test('every name has its line here', () => {
      expect(Object.keys(doors).sort()).toEqual([...names].sort());
    });

    test.each(Object.entries(doors))('%s is open to good arguments, and to no odd ones', async (name, door) => {
      const well = await endOf(() => door.call(...door.args.map(({ good }) => good)));
      expect(well.kind === 'named' ? well.error.code : well.kind).toBe(door.ends ?? 'well');
      const faults: string[] = [];
      for (const [what, args, takes] of trials(door)) {
        const why = fault(await endOf(() => door.call(...args)), takes);
        if (why !== null) faults.push(`${name}: ${what}: ${why}`);
      }
      expect(faults).toEqual([]);
    });

    test.each(Object.entries(doors).filter(([, { args }]) => args.some(({ fields, isLoose }) => fields !== undefined && isLoose !== true)))(
      '%s says which option a misspelt one is meant to be',
      async (_name, { args, call }) => {
        const i = args.findIndex(({ fields }) => fields !== undefined);
        const { fields, good: options } = { fields: {}, ...args[i] };
        for (const field of Object.keys(fields).filter((key) => key.length > 3)) {
          const { [field]: good, ...rest } = options as Record<string, unknown>;
          const misspelt = field.slice(0, 1) + field.slice(2);
          const given = args.map((argument) => argument.good).with(i, { ...rest, [field]: good, [misspelt]: good });
          const ended = await endOf(() => call(...given));
          expect(ended).toMatchObject({ kind: 'named', error: { message: expect.stringContaining(`did you mean "${field}"`) as string } });
        }
      },
    );
  });
}

/** The public methods of what an object is made of. */
export function methodsOf(object: object): string[] {
  const prototype = Object.getPrototypeOf(object) as object;
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value: method }]) => name !== 'constructor' && typeof method === 'function')
    .map(([name]) => name);
}
