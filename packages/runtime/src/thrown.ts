import { inspect } from 'node:util';
import { firstCharacters, isDreamfoldError, type ErrorCode } from '@dreamfold/events';

/** What a failure says at most. */
const MAX_MESSAGE_CHARS = 4000;

export interface Fault {
  /** null when what was thrown names none. */
  code: ErrorCode | null;
  message: string;
  remedy: string;
}

/** What anything that can be thrown says. The code of a model, tool or grader is the caller's own, and so is what it throws. */
export function faultOf(thrown: unknown): Fault {
  try {
    const fault = isDreamfoldError(thrown) ? thrown : { code: null, message: messageOf(thrown), remedy: '' };
    return { code: fault.code, message: firstCharacters(fault.message, MAX_MESSAGE_CHARS).toWellFormed(), remedy: fault.remedy };
  } catch {
    return { code: null, message: 'what it threw cannot be shown', remedy: '' };
  }
}

function messageOf(thrown: unknown): string {
  const message: unknown = thrown instanceof Error ? thrown.message : thrown;
  return typeof message === 'string' ? message : inspect(message, { depth: 2 });
}
