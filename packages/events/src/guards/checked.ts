import { closestMatch } from 'leven';
import { z } from 'zod';
import { DreamfoldError, type ErrorCode } from '../errors.ts';
import { isClass, kindOf } from './kind-of.ts';

/** Who asks, for the error. */
export interface Asked {
  /** What was called or made: `run()`, `The tool refund`. */
  what: string;
  /** Default invalid_argument. */
  code?: ErrorCode;
  /** Where the value stands, before the path of what is wrong with it: `team/desk`. */
  at?: string;
  /** What the whole value is called where it is wrong as a whole. Default `options`. */
  name?: string;
  /** What to do about a wrong value. Default: to correct it. A key that is not known has a remedy of its own. */
  remedy?: string;
}

const NEAR = 3;

/** An object such as a caller writes: not a list, a Map, a Date, a promise or the like, whose own keys say nothing. */
const Plain = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]',
  { error: ({ input }) => `expected an object of options, received ${kindOf(input)}` },
);

/** One schema for each key of options, so that the compiler tells when the two do not agree. */
type ShapeOf<T> = { [K in keyof T]-?: z.ZodType<T[K]> };

/**
 * The schema of an options object. Strict: a limit or a policy that is spelt wrong must not be none.
 * @param shape a schema for each key
 */
export function optionsOf<T extends object>(shape: ShapeOf<T>): z.ZodType<T> {
  return Plain.pipe(z.strictObject(shape)) as unknown as z.ZodType<T>;
}

/** A function; what it takes and gives shows when it is called. */
export function functionOf<T>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'function' && !isClass(value), {
    error: ({ input }) => `expected a function, received ${kindOf(input)}`,
  });
}

/** What fits a schema, itself and not the copy that the schema makes: a key such as `__proto__` is data, and the copy would lose it. */
export function asGiven<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z.custom<T>((value) => schema.safeParse(value).success, {
    error: ({ input }) => schema.safeParse(input).error?.issues[0]?.message ?? '',
  });
}

/** An object with these methods. @param words what it is, for people: `a model` */
export function withMethods<T extends object>(words: string, ...methods: (keyof T & string)[]): z.ZodType<T> {
  const has = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
  return z.custom<T>(has, { error: ({ input }) => `expected ${words}, received ${kindOf(input)}` });
}

/** One of some names that are too many to list in an error. @param words what they are, for people: `a type of event` */
export function oneOf<T extends string>(words: string, names: readonly T[]): z.ZodType<T> {
  const known: ReadonlySet<unknown> = new Set(names);
  return z.custom<T>((value) => known.has(value), {
    error: ({ input }) => {
      const near = typeof input === 'string' ? nearest(input, names) : undefined;
      return `expected ${words}, received ${kindOf(input)}${near === undefined ? '' : `; did you mean "${near}"?`}`;
    },
  });
}

/** A name, an id, words: never empty. */
export const Text = z.string().min(1);

/** The name of a file or directory. */
export const FilePath = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'a path holds no NUL');

/**
 * The one way in which what a caller hands over is checked. Nothing that it is, not even an object whose fields throw when they are
 * read, is met by anything but a named error.
 * @returns what the schema makes of the value: of an options object a copy
 * @throws DreamfoldError invalid_argument, or the code of `asked`
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, asked: Asked): T {
  let issue: z.core.$ZodIssue;
  try {
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return result.data;
    // Zod puts the words together when they are asked for, and looks at the value once more.
    // A key that is not known comes first: where one is misspelt, that another is missing is only what follows.
    const { issues } = result.error;
    issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  } catch (cause) {
    throw wrong(asked, { path: [], why: `can't be read: ${wordsOf(cause)}`, remedy: 'Give plain values.', cause });
  }
  if (issue.code === 'unrecognized_keys') throw unknownKey(asked, issue.path, { key: issue.keys[0]!, known: keysAt(schema, issue.path) });
  const why = issue.message.replace(/^Invalid \w+: /, '');
  throw wrong(asked, { path: issue.path, why, remedy: asked.remedy ?? 'Correct the value.', value: issue.input });
}

function wordsOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : kindOf(cause);
  } catch {
    return 'it throws';
  }
}

type Path = readonly PropertyKey[];

function unknownKey(asked: Asked, path: Path, { key, known }: { key: string; known: readonly string[] }): DreamfoldError {
  const near = nearest(key, known);
  const meant = near === undefined ? '' : `; did you mean "${near}"?`;
  return wrong(asked, {
    path: [...path, key],
    which: path,
    why: `there is no ${kindOf(key)}${meant}`,
    remedy: near === undefined ? `Give ${known.join(', ')}.` : `Write ${near}. All that can be given: ${known.join(', ')}.`,
  });
}

/** @returns the name that was probably meant by one that is not there; undefined when none is near enough */
export function nearest(name: string, names: readonly string[]): string | undefined {
  return closestMatch(name, [...names], { maxDistance: Math.min(NEAR, Math.ceil(name.length / 2)) });
}

interface Wrong {
  path: Path;
  /** What of the path the message names. Default: all of it. */
  which?: Path;
  why: string;
  remedy: string;
  value?: unknown;
  cause?: unknown;
}

function wrong(
  { what, at, name = 'options', code = 'invalid_argument' }: Asked,
  { path, which = path, why, remedy, value, cause }: Wrong,
): DreamfoldError {
  const below = path.map(String).join('/');
  const where = at === undefined ? below || name : [at, below].filter((part) => part !== '').join('/');
  const named = which.map(String).join('/') || (at === undefined && path.length === 0 ? name : '');
  return new DreamfoldError(code, `${[what, named].filter((part) => part !== '').join(': ')}: ${why}`, {
    path: where,
    remedy,
    value,
    cause,
  });
}

/** The keys that an object of the schema may have at a path. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  const def = (schema as z.ZodType).def as z.core.$ZodTypes['_zod']['def'];
  switch (def.type) {
    case 'pipe':
      return keysAt(def.out, path);
    case 'optional':
    case 'nullable':
    case 'default':
    case 'readonly':
      return keysAt(def.innerType, path);
    case 'array':
      return keysAt(def.element, path.slice(1));
    case 'tuple':
      return keysAt(def.items[path[0] as number]!, path.slice(1));
    case 'record':
      return keysAt(def.valueType, path.slice(1));
    case 'union':
      return def.options.flatMap((option) => keysAt(option, path));
    case 'object': {
      if (path.length === 0) return Object.keys(def.shape);
      const below = def.shape[String(path[0])];
      return below === undefined ? [] : keysAt(below, path.slice(1));
    }
    default:
      return [];
  }
}
