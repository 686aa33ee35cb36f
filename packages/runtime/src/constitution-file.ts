import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checked, DreamfoldError, FilePath, parseJson } from '@dreamfold/events';
import { forbiddenPhrase, type Constitution, type ConstitutionRule, type MemoryChange } from '@dreamfold/dreaming';
import { z } from 'zod';
import { readRegularFile } from './regular-file.ts';

const REMEDY =
  'Write {"phrases": ["…"], "schemas": [{"name": "…", "schema": {JSON Schema of a change}}]}; in code, export it as default, with rules: [(change) => null or why not].';

const MAX_BYTES = 1024 * 1024;

const Phrase = z.string().trim().min(1).max(500);
const NamedSchema = z.strictObject({ name: z.string().min(1), schema: z.union([z.boolean(), z.record(z.string(), z.unknown())]) });
const CodeRule = z.custom<(change: MemoryChange) => unknown>((value) => typeof value === 'function', 'is not a function');
const Rules = z.strictObject({
  phrases: z.array(Phrase).optional(),
  schemas: z.array(NamedSchema).optional(),
  rules: z.array(CodeRule).optional(),
});

/**
 * Reads the operator's rules from a file: `.json` with phrases and JSON schemas, or `.ts`, `.js`, which may hold code too. A
 * schema describes the changes that are allowed: `{kind, text, insight, note, reason}`.
 * @throws DreamfoldError not_found, invalid_path, payload_too_large, config_invalid (also for a file without a rule, which protects from nothing), and those of parseJson
 */
export async function loadConstitution(file: string): Promise<Constitution> {
  checked(FilePath, file, { what: 'loadConstitution()', name: 'file' });
  const value = file.endsWith('.json') ? parseJson(await readRegularFile(file, { maxBytes: MAX_BYTES }), file) : await load(file);
  const parsed = Rules.safeParse(Array.isArray(value) ? fromList(value) : value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw invalid(file, `${issue.path.join('.') || 'the file'}: ${issue.message}`, issue.path.join('/'));
  }
  const { phrases = [], schemas = [], rules = [] } = parsed.data;
  const constitution = [
    ...phrases.map(forbiddenPhrase),
    ...schemas.map((schema) => schemaRule(file, schema)),
    ...rules.map((rule, i) => codeRule(rule, `${basename(file)} rule ${i + 1}`)),
  ];
  if (constitution.length === 0) throw invalid(file, 'it holds no rule', '');
  return constitution;
}

/** A list of phrases and functions, mixed. */
function fromList(list: readonly unknown[]): unknown {
  return { phrases: list.filter((rule) => typeof rule !== 'function'), rules: list.filter((rule) => typeof rule === 'function') };
}

async function load(file: string): Promise<unknown> {
  // Loading a module asks for no size and for no end.
  await readRegularFile(file, { maxBytes: MAX_BYTES });
  try {
    return ((await import(pathToFileURL(resolve(file)).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw invalid(file, cause instanceof Error ? cause.message : String(cause), '');
  }
}

function schemaRule(file: string, { name, schema }: z.infer<typeof NamedSchema>): ConstitutionRule {
  let wanted: z.ZodType;
  try {
    wanted = z.fromJSONSchema(schema);
  } catch (cause) {
    throw invalid(file, `the schema ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, `schemas/${name}`);
  }
  return {
    name,
    check: (change) => {
      const issue = wanted.safeParse(change).error?.issues[0];
      return issue === undefined ? null : `It breaks the rule ${name}: ${issue.path.join('.') || 'change'}: ${issue.message}.`;
    },
  };
}

function codeRule(rule: (change: MemoryChange) => unknown, place: string): ConstitutionRule {
  const name = rule.name === '' ? place : rule.name;
  return {
    name,
    check: (change) => {
      const why = rule(structuredClone(change));
      if (why === null || why === undefined) return null;
      // Anything else that it says is no permission, a promise among it.
      return typeof why === 'string' ? why : `The rule ${name} did not answer with null or with a reason.`;
    },
  };
}

function invalid(file: string, why: string, at: string): DreamfoldError {
  return new DreamfoldError('config_invalid', `${file} is no constitution: ${why}`, {
    path: at === '' ? file : `${file}/${at}`,
    remedy: REMEDY,
  });
}
