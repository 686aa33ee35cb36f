import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checked, DreamfoldError, FilePath, kindOf, parseJson } from '@dreamfold/events';
import { forbiddenPhrase, type Constitution, type ConstitutionRule, type MemoryChange } from '@dreamfold/dreaming';
import { z } from 'zod';
import { readRegularFile } from '../regular-file.ts';

const REMEDY =
  'Name it .txt and write one phrase a line; or .json, and write {"phrases": ["…"], "schemas": [{"name": "…", "schema": {JSON Schema of a change}}]}; or .ts or .js, and export it as default, with rules: [(change) => null or why not].';

const Phrase = z.string().trim().min(1).max(500);
const NamedSchema = z.strictObject({ name: z.string().min(1), schema: z.union([z.boolean(), z.record(z.string(), z.unknown())]) });
const CodeRule = z.custom<(change: MemoryChange) => unknown>((value) => typeof value === 'function', 'is not a function');
const Rules = z.strictObject({
  phrases: z.array(Phrase).optional(),
  schemas: z.array(NamedSchema).optional(),
  rules: z.array(CodeRule).optional(),
});

/** A rule of the operator, as `loadConstitution` gives them. */
const RuleInCode = z.custom<Constitution[number]>(
  (rule) =>
    typeof rule === 'object' &&
    rule !== null &&
    typeof (rule as Constitution[number]).name === 'string' &&
    typeof (rule as Constitution[number]).check === 'function',
  { error: ({ input }) => `expected a rule, which has a name and a check, received ${kindOf(input)}` },
);
export const ConstitutionShape = z.array(RuleInCode);

/** What a constitution's name ends in, whatever its case. Any other file is none: to guess at its form could let everything through. */
const ENDING = /\.(json|txt|[cm]?[jt]s)$/i;
const MAX_BYTES = 1024 * 1024;

/**
 * Reads the operator's rules from a file: `.txt` with a phrase on each line, where `#` begins a comment; `.json` with phrases
 * and JSON schemas; or `.ts`, `.js`, which may hold code too. A schema describes the changes that are allowed:
 * `{kind, text, insight, note, reason}`.
 * @throws DreamfoldError not_found, invalid_path, payload_too_large, invalid_text, config_invalid (another kind of file, or one
 * without a rule, which protects from nothing), and those of parseJson
 */
export async function loadConstitution(file: string): Promise<Constitution> {
  checked(FilePath, file, { what: 'loadConstitution()', name: 'file' });
  const ending = ENDING.exec(file)?.[1]?.toLowerCase();
  if (ending === undefined) throw invalid(file, 'its name ends in none of .txt, .json, .ts and .js', '');
  // Loading a module asks for no size and for no end, so that too is read first.
  const text = (await readRegularFile(file, { maxBytes: MAX_BYTES })).replace(/^\ufeff/, '');
  const value = ending === 'json' ? parseJson(text, file) : ending === 'txt' ? phrasesOf(text) : await load(file);
  const parsed = Rules.safeParse(Array.isArray(value) ? fromList(value) : value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw invalid(file, `${issue.path.join('.') || 'the file'}: ${issue.message}`, issue.path.join('/'));
  }
  const { phrases = [], schemas = [], rules = [] } = parsed.data;
  const constitution = [
    ...phrases.map((phrase, i) => {
      if (/[\p{L}\p{N}]/u.test(phrase)) return forbiddenPhrase(phrase);
      throw invalid(file, `the phrase ${JSON.stringify(phrase)} holds no word`, `phrases/${i}`);
    }),
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

function phrasesOf(text: string): unknown {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.replace(/(?:^|\s)#.*$/, '').trim());
  return { phrases: lines.filter((line) => line !== '') };
}

async function load(file: string): Promise<unknown> {
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
