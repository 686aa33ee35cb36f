/** One guard of the product switched off, and the tests that have to notice it. */
export interface Mutant {
  /** Unique, in kebab-case: what `--only` takes. */
  name: string;
  /** What would break for a user, in one sentence. */
  what: string;
  /** The source, from the root of the repository. */
  file: string;
  /** Text that stands in the source exactly once. */
  find: string;
  replace: string;
  /** The test files of which one has to fail: pure ones where they can be, for they take seconds. */
  tests: readonly string[];
}

export interface Room {
  room: string;
  mutants: readonly Mutant[];
}

/**
 * @param text the source as it stands
 * @returns the source with the guard switched off
 * @throws Error when the list is stale: the text to replace stands there not at all, or more than once
 */
export function mutate(text: string, { name, file, find, replace }: Mutant): string {
  const count = text.split(find).length - 1;
  if (count !== 1) {
    throw new Error(`${name}: the text to replace stands ${count} times in ${file}. Write in scripts/mutants/rooms what stands there now.`);
  }
  return text.replace(find, () => replace);
}
