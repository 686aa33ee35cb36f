import { hasAtMost } from '@dreamfold/events';
import { InvalidArgumentError, type Command } from 'commander';
import { typedHere } from './how-called.ts';

export interface CommandText {
  /** The name and its arguments, as commander writes them: `show <session>`. */
  usage: string;
  /** One line, for the list of commands. */
  summary: string;
  /** What it does, and what to know before using it. */
  description: string;
  /** Without the leading `dreamfold`. */
  examples: readonly string[];
  /** Runs when the group that it belongs to is named alone. */
  isDefault?: boolean;
}

/** A command whose help teaches it. */
export function defineCommand(program: Command, { usage, summary, description, examples, isDefault = false }: CommandText): Command {
  return program
    .command(usage, { isDefault })
    .summary(summary)
    .description(description)
    .addHelpText('after', () => `\nExamples:\n${examples.map((example) => `  ${typedHere()} ${example}`).join('\n')}`);
}

/** An option's value that is a whole number from `min` on. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} on.`);
  };
}

/** As many characters as a reason or a note on the log may have. */
const MAX_WORDS_CHARS = 4000;

/** An option's value that says something to people. */
export function words(text: string): string {
  if (text.trim() !== '' && hasAtMost(text, MAX_WORDS_CHARS)) return text;
  throw new InvalidArgumentError(`Give some words, at most ${MAX_WORDS_CHARS} characters.`);
}

/** The option that says why, for the log. */
export const REASON = ['--reason <text>', 'why', words] as const;

/** An option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
