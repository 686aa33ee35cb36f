import { z } from 'zod';
import { checked } from './checked.ts';

/** One argument of a method: its name, for the error, and its schema. */
interface Argument<T> {
  name: string;
  schema: z.ZodType<T>;
}

type Method = (...args: never[]) => unknown;

/** Each public method of a class, with one line for each of its arguments: a method without a line does not compile. */
export type MethodArguments<T> = {
  readonly [K in keyof T as T[K] extends Method ? K : never]: T[K] extends (...args: infer A) => unknown
    ? { readonly [I in keyof Required<A>]: Argument<A[I]> }
    : never;
};

/** An argument. What may be left out has an optional schema. */
export function arg<T>(name: string, schema: z.ZodType<T>): Argument<T> {
  return { name, schema };
}

/** An argument that the method itself checks, with an error of its own. */
export function asItIs<T>(name: string): Argument<T> {
  return { name, schema: z.custom<T>() };
}

/**
 * The door of a class: what each public method is given is checked before the method runs. A method that is async rejects.
 * @param owner what an instance is called, for the error: `memory`
 */
export function checkMethods<T extends object>(of: { prototype: T }, owner: string, methods: MethodArguments<T>): void {
  for (const [name, args] of Object.entries(methods) as [string, Argument<unknown>[]][]) {
    const method = Object.getOwnPropertyDescriptor(of.prototype, name)!.value as (...given: unknown[]) => unknown;
    const what = owner === '' ? `${name}()` : `${owner}.${name}()`;
    const check = (given: readonly unknown[]): unknown[] => args.map((argument, i) => argumentOf(argument, given[i], what));
    const isAsync = method.constructor.name === 'AsyncFunction';
    const door = isAsync
      ? async function (this: T, ...given: unknown[]) {
          return method.apply(this, check(given));
        }
      : function (this: T, ...given: unknown[]) {
          return method.apply(this, check(given));
        };
    Object.defineProperty(door, 'name', { value: name });
    Object.defineProperty(of.prototype, name, { value: door, writable: true, configurable: true });
  }
}

/** Options are named by their keys alone, a list by its own name too. */
function argumentOf({ name, schema }: Argument<unknown>, value: unknown, what: string): unknown {
  return Array.isArray(value) ? checked(schema, value, { what: `${what}: ${name}`, at: name }) : checked(schema, value, { what, name });
}
