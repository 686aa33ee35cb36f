import { isDreamfoldError } from '@dreamfold/events';

/** One thing that was looked at, for an operator. */
export interface Finding {
  about: string;
  /** `note`: nothing is wrong, and somebody may want to know. */
  state: 'well' | 'note' | 'wrong';
  text: string;
  /** What to do. */
  remedy?: string;
}

/** What an error says, as a finding. @throws the error, when it is a fault of the program */
export function wrongFinding(about: string, error: unknown): Finding {
  if (!isDreamfoldError(error)) throw error;
  return { about, state: 'wrong', text: `${error.code} ${error.message}`, remedy: error.remedy };
}

/** A size in whole mebibytes, for people: `3 MiB`. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
