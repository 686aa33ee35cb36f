import { parseJson } from '@dreamfold/events';
import { z } from 'zod';
import { importRun, type ImportedSession, type ImportOptions, type RecordedRun } from './imported-session.ts';
import { sessionOf, tried, type ReadRow } from './read-row.ts';
import { toolsCalled } from './recorded/recorded-tools.ts';
import { checkRow, rowError } from './row-error.ts';
import { readTranscript, type ImportNote } from './transcript.ts';

/** A result of sierra-research/tau-bench: one run of one task. `traj` is in the style of the OpenAI Chat API. */
const TauRun = z.object({
  task_id: z.union([z.int(), z.string().min(1).max(200)]),
  trial: z.int().nonnegative(),
  reward: z.number().min(0).max(1),
  info: z.object({ task: z.object({ user_id: z.string() }) }),
  traj: z.array(z.unknown()).min(1),
});

/** Of a file that is one document: it is held in memory as a whole, unlike lines. */
export const DOCUMENT_LIMITS = { maxBytes: 256 * 1024 * 1024, maxDepth: 64, maxKeys: 20_000_000, anyKey: true };
const REMEDY = 'Correct or remove this run; each is {task_id, trial, reward: 0..1, info: {task: {user_id}}, traj: [messages]}.';

/**
 * The sessions of a tau-bench result file. The recording names tools only by their use, so the team has every tool that
 * is called anywhere in the file. `path` of an error is `file:run/pointer`, runs counted from 1.
 * @throws DreamfoldError invalid_import, and those of parseJson
 */
export function parseTauBench(text: string, options: ImportOptions): ImportedSession[] {
  return readTauBench(text, options).map(sessionOf);
}

/** As parseTauBench, with the error of a bad run in its place. @throws DreamfoldError for a file that is no array of runs */
export function readTauBench(text: string, options: ImportOptions): ReadRow[] {
  const runs = parseJson(text.startsWith('\uFEFF') ? text.slice(1) : text, options.source, DOCUMENT_LIMITS);
  if (!Array.isArray(runs)) throw rowError(options.source, 'the file is not a JSON array of runs', { value: runs, remedy: REMEDY });
  if (runs.length === 0) throw rowError(options.source, 'the file holds no runs', { remedy: 'Give a result file with at least one run.' });
  const read = runs.map((value: unknown, i) => ({ row: i + 1, run: tried(() => readRun(value, { row: i + 1, source: options.source })) }));
  const used = toolsCalled(read.flatMap(({ run }) => ('value' in run ? run.value.turns : [])));
  const known = new Map(options.tools?.map((tool) => [tool.name, tool]));
  const tools = used.map((tool) => known.get(tool.name) ?? tool);
  return read.map(({ row, run }) =>
    'error' in run ? { row, ...run } : { row, ...tried(() => importRun({ ...run.value, agent: { ...run.value.agent, tools } }, options)) },
  );
}

function readRun(value: unknown, { row, source }: { row: number; source: string }): RecordedRun {
  const at = `${source}:${row}`;
  const notes: ImportNote[] = [];
  const run = checkRow(TauRun, value, { at, remedy: REMEDY });
  const messages = run.traj.map((message, i) => ({ at: `${at}/traj/${i}`, value: message }));
  const { system, turns } = readTranscript(messages, `${at}/traj`, notes);
  return {
    format: 'tau-bench',
    row,
    at,
    content: JSON.stringify(value),
    title: `task ${run.task_id}, trial ${run.trial}`,
    principal: run.info.task.user_id,
    metadata: { task_id: String(run.task_id), trial: String(run.trial) },
    agent: { system, tools: [] },
    turns,
    outcome: { score: run.reward, source: 'tau-bench reward' },
    feedback: [],
    notes,
  };
}
