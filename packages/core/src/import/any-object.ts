import { z } from 'zod';

/** An object of somebody's own, such as a tool's input, as it is: a key such as `__proto__` is data there, and a copy would lose it. */
export const AnyObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'is no object',
);
