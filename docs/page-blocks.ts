// What a page of the documentation tells its reader to type, and to put into files.

/** The lines of shell, in order. */
export function shellLines(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, shell]) => shell!);
  return blocks.flatMap((shell) => shell.split('\n')).filter((line) => line !== '');
}

/** The program that begins with the name of its file, as `// team.ts`; null when there is none. */
export function programOf(page: string, file: string): string | null {
  const programs = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, program]) => program!);
  return programs.find((program) => program.startsWith(`// ${file}\n`)) ?? null;
}
