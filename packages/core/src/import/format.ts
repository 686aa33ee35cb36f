import { DreamfoldError } from '@dreamfold/events';

/** What `dreamfold import --format` reads, and what a help text says of it. */
export const IMPORT_FORMATS = [
  {
    name: 'messages',
    file: 'JSONL or JSON',
    description:
      'One transcript a line, or an array of them: {"messages": [...]} with optional outcome, feedback, tools and more, see below.',
  },
  {
    name: 'tau-bench',
    file: 'JSON',
    description: 'A result file of sierra-research/tau-bench: an array of {task_id, trial, reward, info, traj}.',
  },
  {
    name: 'dreamfold',
    file: 'JSONL',
    description: 'What `dreamfold export` wrote: the events byte for byte, with their hashes.',
  },
] as const;

export type ImportFormat = (typeof IMPORT_FORMATS)[number]['name'];

/** @throws DreamfoldError invalid_argument for a name that is no format */
export function importFormat(name: string): ImportFormat {
  const format = IMPORT_FORMATS.find((f) => f.name === name);
  if (format !== undefined) return format.name;
  throw new DreamfoldError('invalid_argument', `No import format is called ${JSON.stringify(name)}`, {
    path: '--format',
    value: name,
    remedy: `Use one of ${IMPORT_FORMATS.map((f) => f.name).join(', ')}.`,
  });
}
