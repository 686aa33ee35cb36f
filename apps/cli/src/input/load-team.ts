import { spawnSync } from 'node:child_process';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Caps, checked, optionsOf, Text, withRemedy } from '@dreamfold/events';
import { PrincipalShape, readRegularFile } from '@dreamfold/runtime';
import { DreamfoldError, isDreamfoldError, type AgentDefinition, type RubricDefinition, type RunOptions } from 'dreamfold';
import { z } from 'zod';
import { nodeTypedHere } from '../how-called.ts';
import { shellWord } from '../render/printable.ts';

/** What a team's file gives. */
export interface TeamFile extends Pick<RunOptions, 'rubric' | 'memory' | 'caps' | 'principal'> {
  lead: AgentDefinition;
}

const SHAPE = 'Export the lead: `export default agent({ … })`, or `export default { lead, rubric, memory, caps, principal }`.';

const isAgent = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'name' in value && 'system' in value && 'tools' in value && 'team' in value;
const Agent = z.custom<AgentDefinition>(isAgent, { error: 'is not what agent() makes' });
const Rubric = z.custom<RubricDefinition>(
  (value) => typeof value === 'object' && value !== null && 'criteria' in value && 'passScore' in value,
  { error: 'is not what rubric() makes' },
);
// Strict: a cap that is spelt wrong must not be no cap.
const TeamObject = optionsOf<TeamFile>({
  lead: Agent,
  rubric: Rubric.optional(),
  memory: z.array(Text).optional(),
  caps: optionsOf<Partial<Caps>>(Caps.partial().shape).optional(),
  principal: PrincipalShape.optional(),
});

/**
 * Imports a team's file. `dreamfold` and `zod` come from where the file stands or, where nothing is installed there, from
 * this program's own dependencies.
 * @throws DreamfoldError not_found, invalid_team, and what the file's agent(), tool() and rubric() throw, with the file as path
 */
export async function loadTeam(file: string): Promise<TeamFile> {
  const text = await textOf(file).catch(orMakeOne);
  await needDefault(file, text);
  return readExports(file, await importModule(file));
}

/** The rubric that a file exports as its default. @throws DreamfoldError not_found, invalid_rubric, invalid_team */
export async function loadRubric(file: string): Promise<RubricDefinition> {
  await textOf(file);
  const module = await importModule(file);
  const made = Rubric.safeParse(module['default'] ?? module['rubric']);
  if (made.success) return made.data;
  throw new DreamfoldError('invalid_rubric', `The default export of ${file} is not what rubric() makes`, {
    path: file,
    remedy: 'Export it: `export default rubric({ … })`.',
  });
}

/** More than a module that describes a team, with all that is bundled into it. */
const MAX_MODULE_BYTES = 5 * 1024 * 1024;

/** Read before it is imported: Node would wait for a pipe for ever, and read a device without end. @throws DreamfoldError not_found, … */
function textOf(file: string): Promise<string> {
  return readRegularFile(file, { maxBytes: MAX_MODULE_BYTES });
}

function orMakeOne(error: unknown): never {
  throw isDreamfoldError(error, 'not_found') ? withRemedy(error, 'Correct the path, or make a team with `dreamfold init DIR`.') : error;
}

/** No module exports this. */
const NO_EXPORT = 'exportsNoTeam';

/**
 * Importing a program would run it, whole sessions and all, before anybody sees that it exports no team. A module is linked before it is
 * run: where what is imported of it is missing, or it can't be read, that is the end. A script that is no module has a default in any
 * case, so it is asked for one by its text.
 */
async function needDefault(file: string, text: string): Promise<void> {
  resolveFromHere();
  const name = /\bexport\b[^;]*\bdefault\b|\bexports\b/.test(text) ? 'default' : NO_EXPORT;
  const importer = `import { ${name} as _ } from ${JSON.stringify(urlOf(file))}`;
  try {
    await import(`data:text/javascript,${encodeURIComponent(importer)}`);
  } catch (error) {
    const { message } = error as Error;
    const isOurs = message.includes(`'${urlOf(file)}'`) && message.includes("'default'");
    throw error instanceof SyntaxError && (isOurs || message.includes(NO_EXPORT)) ? noTeam(file) : importError(file, error);
  }
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  resolveFromHere();
  try {
    return (await import(urlOf(file))) as Record<string, unknown>;
  } catch (error) {
    throw importError(file, error);
  }
}

function urlOf(file: string): string {
  return pathToFileURL(resolve(file)).href;
}

function readExports(file: string, module: Record<string, unknown>): TeamFile {
  const lead = module['default'];
  if (lead === undefined) throw noTeam(file);
  const rubric = module['rubric'] === undefined ? {} : { rubric: module['rubric'] };
  const given = isAgent(lead) ? { lead, ...rubric } : typeof lead === 'object' ? { ...rubric, ...lead } : lead;
  return checked(TeamObject, given as TeamFile, {
    what: `${file}: its default export is not a team`,
    code: 'invalid_team',
    name: 'default',
    remedy: SHAPE,
  });
}

function noTeam(file: string): DreamfoldError {
  return new DreamfoldError('invalid_team', `${file} has no default export, so it is a program and not a team`, {
    path: file,
    remedy: `${SHAPE} A program that runs its team itself is started with \`${nodeTypedHere()} ${shellWord(file)}\`.`,
  });
}

/** Where in the file it happened, as far as the error knows. */
function placeOf(file: string, error: Error): string {
  // A fault of TypeScript is told by its path, and any other by its URL.
  for (const name of [urlOf(file), resolve(file)]) {
    const place = error.stack?.split('\n').find((line) => line.includes(`${name}:`));
    const position = place === undefined ? null : /^:(\d+)/.exec(place.slice(place.indexOf(name) + name.length));
    if (position !== null) return `${file}:${position[1]}`;
  }
  return error instanceof SyntaxError ? syntaxPlace(file) : file;
}

/** V8 keeps to itself where in a module it could not go on; Node tells it of a file that it only checks. */
function syntaxPlace(file: string): string {
  const { stderr } = spawnSync(process.execPath, ['--check', resolve(file)], { encoding: 'utf8' });
  const position = /^:(\d+)\n/.exec(stderr.startsWith(resolve(file)) ? stderr.slice(resolve(file).length) : '');
  return position === null ? file : `${file}:${position[1]}`;
}

function importError(file: string, thrown: unknown): DreamfoldError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const path = placeOf(file, error);
  if (isDreamfoldError(error)) {
    const { code, message, remedy, value } = error;
    return new DreamfoldError(code, `${path}: ${message}`, { path, remedy, cause: error, ...(value === undefined ? {} : { value }) });
  }
  const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
  const syntax = error instanceof SyntaxError;
  const message = error.message.split('\n')[0]!;
  return new DreamfoldError(
    'invalid_team',
    `${path}: ${syntax ? 'is not a module that Node can read: ' : missing ? '' : 'threw while it was loaded: '}${message}`,
    {
      path,
      remedy: missing
        ? 'Install what it imports beside it, or correct the specifier (a file of your own needs its ending: ./tools.ts).'
        : syntax
          ? 'Correct it. Node runs TypeScript by leaving the types out, so enums, namespaces and parameter properties do not work.'
          : 'Correct it: a team file should do no more than describe the team.',
      cause: error,
    },
  );
}

let hooked = false;

function resolveFromHere(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        if (!/^(?:dreamfold|zod)(?:\/|$)/.test(specifier) || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
        return nextResolve(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

/** The team with every agent on one model. */
export function withModel(lead: AgentDefinition, model: string): AgentDefinition {
  const made = new Map<AgentDefinition, AgentDefinition>();
  const change = (agent: AgentDefinition): AgentDefinition => {
    const known = made.get(agent);
    if (known !== undefined) return known;
    // Remembered before its team is made, so that a team that goes in a circle is found by the check and not by the stack.
    const team: AgentDefinition[] = [];
    const { standIn: _, ...chosen } = agent;
    const changed = { ...chosen, model, team };
    made.set(agent, changed);
    team.push(...agent.team.map(change));
    return changed;
  };
  return change(lead);
}
