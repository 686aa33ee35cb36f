import { fail, pass, placeInNote, textsOf, type Candidate, type Verdict } from '../candidate.ts';
import type { BadCues } from '../drop-cues.ts';
import { personalNumberIn } from './personal-numbers.ts';
import { ASSIGNED_PASSWORD, KEY_BEGINNINGS, KEY_FORMS, NAMED_KEY, NAMED_PIN, NAMED_SECRET } from './secret-forms.ts';

/** A memory has 100 KiB. Each pattern is linear in the text. */
const MAX_CHARS = 110_000;
/** A long run that looks drawn by lot. */
const LONG_RUN = /[A-Za-z0-9+/_=-]{32,512}/g;
/** As long as keys and digests are; a commit has 40. */
const HEX_KEY = /(?<![\w-])(?=[a-f]{0,64}\d)(?=\d{0,64}[a-f])(?:[0-9a-f]{32}|[0-9a-f]{64})(?![\w-])/i;
const HEX_RUN = /(?<![\w])(?:[0-9a-f]{2}){16,1024}(?![\w])/gi;
const BASE64_RUN = /(?<![\w+/])[A-Za-z0-9+/_-]{24,2048}={0,2}/g;
/** Letter by letter. */
const SPACED = /(?<!\S)(?:[\w.+/=-][ \t\r\n]){11,300}[\w.+/=-](?!\S)/g;
/** What stands between the parts of a split key. */
const SEAM = /["'`\s+\\]/;
/** So much of a split key is looked at. */
const SPLIT_KEY_CHARS = 28;
/** Neither digits nor the words that passwords follow: most cues, and nothing that is a secret. */
const HARMLESS = /^(?!.*(?:pass|pwd|secret|--|\p{L}{16}))[\p{L}\p{M}'’ -]{1,72}$/u;

export interface FoundSecret {
  /** What kind it is; never the secret itself. */
  kind: string;
  /** Where in the text it begins, nearly: a secret in disguise has no place of its own. */
  index: number;
}

/** The first secret or personal number of a text, or null. It is told by its form alone, whatever its case. */
export function findSecret(text: string): FoundSecret | null {
  const read = text.slice(0, MAX_CHARS);
  if (HARMLESS.test(read)) return null;
  return plainSecret(read) ?? disguisedSecret(read);
}

/** What kind of secret a text holds, or null. Never the secret itself. */
export function secretIn(text: string): string | null {
  return findSecret(text)?.kind ?? null;
}

function plainSecret(text: string): FoundSecret | null {
  for (const [kind, pattern] of KEY_FORMS) {
    const index = text.search(pattern);
    if (index >= 0) return { kind, index };
  }
  return named(text) ?? personalNumberIn(text) ?? longRun(text);
}

function named(text: string): FoundSecret | null {
  const kind = 'a password or key with its name';
  for (const { 1: value, index } of text.matchAll(NAMED_SECRET)) if (isChosen(value!)) return { kind, index };
  for (const { 1: value, index } of text.matchAll(NAMED_KEY)) if (isMixed(value!) && entropy(value!) >= 3) return { kind, index };
  for (const { 1: value, index } of text.matchAll(ASSIGNED_PASSWORD)) if (/[a-z][A-Z]/.test(value!)) return { kind, index };
  const pin = NAMED_PIN.exec(text);
  return pin === null ? null : { kind: 'a PIN with its name', index: pin.index };
}

function longRun(text: string): FoundSecret | null {
  const hex = HEX_KEY.exec(text);
  if (hex !== null) return { kind: 'a hexadecimal key', index: hex.index };
  for (const { 0: run, index } of text.matchAll(LONG_RUN)) if (isDrawn(run)) return { kind: 'a long random string', index };
  return null;
}

/** Keys written so that no pattern meets them: in wide letters, letter by letter, in parts, in hex or base64. */
function disguisedSecret(text: string): FoundSecret | null {
  const plain = text.normalize('NFKC').replaceAll(/\p{Cf}/gu, '');
  if (plain !== text) {
    const found = plainSecret(plain);
    if (found !== null) return { ...found, index: Math.min(found.index, text.length) };
  }
  for (const { 0: spaced, index } of plain.matchAll(SPACED)) {
    const found = plainSecret(spaced.replaceAll(/\s/g, ''));
    if (found !== null) return { kind: `${found.kind}, letter by letter`, index };
  }
  return splitKey(plain) ?? decodedKey(plain);
}

function splitKey(text: string): FoundSecret | null {
  const seamless: string[] = [];
  const places: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    if (SEAM.test(text[i]!)) continue;
    seamless.push(text[i]!);
    places.push(i);
  }
  if (seamless.length === text.length && !text.includes('-')) return null;
  const joined = seamless.join('');
  for (const match of joined.matchAll(KEY_BEGINNINGS)) {
    const key = joined
      .slice(match.index + match[0].length)
      .replaceAll('-', '')
      .slice(0, SPLIT_KEY_CHARS);
    const isAws = match[0] === 'AKIA' || match[0] === 'ASIA';
    if (isAws ? /^(?=[A-Z]{0,16}\d)[A-Z2-7]{16}/.test(key) : isMixedWell(key))
      return { kind: 'a key in parts', index: places[match.index]! };
  }
  return null;
}

const ENCODINGS = [
  ['hex', HEX_RUN, fromHex],
  ['base64', BASE64_RUN, fromBase64],
] as const;

function fromHex(run: string): string {
  return run.replaceAll(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function fromBase64(run: string): string {
  let decoded = '';
  let bits = 0;
  let held = 0;
  for (const char of run.replaceAll('-', '+').replaceAll('_', '/').replaceAll('=', '')) {
    bits = ((bits << 6) | BASE64.indexOf(char)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    decoded += String.fromCharCode((bits >> held) & 0xff);
  }
  return decoded;
}

function decodedKey(text: string): FoundSecret | null {
  for (const [encoding, pattern, decode] of ENCODINGS) {
    for (const { 0: run, index } of text.matchAll(pattern)) {
      const decoded = decode(run);
      if (!/^[\x20-\x7e\r\n\t]+$/.test(decoded)) continue;
      const found = KEY_FORMS.find(([, form]) => form.test(decoded))?.[0] ?? named(decoded)?.kind;
      if (found !== undefined) return { kind: `${found}, in ${encoding}`, index };
    }
  }
  return null;
}

/** As people choose passwords: with a digit, not all of one kind. A very short one holds three kinds. */
function isChosen(value: string): boolean {
  const kinds = [/\d/, /[a-z]/, /[A-Z]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  if (value.length < 6) return kinds >= 3 && /\d/.test(value) && /[a-z]/i.test(value) && /[^A-Za-z0-9.:)\]]/.test(value);
  return isMixed(value) && entropy(value) >= 2.5;
}

/** A digit, and two kinds of characters or more: no plain word. */
function isMixed(value: string): boolean {
  return /\d/.test(value) && [/[a-z]/, /[A-Z]/, /[^A-Za-z0-9]/].some((kind) => kind.test(value));
}

/** Letters of both cases and digits, several of each. */
function isMixedWell(run: string): boolean {
  const count = (kind: RegExp): number => run.match(kind)?.length ?? 0;
  return run.length >= 20 && count(/\d/g) >= 3 && count(/[a-z]/g) >= 3 && count(/[A-Z]/g) >= 3 && /^[A-Za-z0-9_]+$/.test(run);
}

/** Of all kinds, and many different characters: no name of a tool, no path, and no hash of a file or a commit. */
function isDrawn(run: string): boolean {
  return [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(run)) && entropy(run) >= 4;
}

/** Shannon's, of the characters of the text itself, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts.values()].reduce((sum, n) => sum - (n / text.length) * Math.log2(n / text.length), 0);
}

/** No password, key, token or number of an account gets into a memory. */
export function secrets(candidate: Candidate): Verdict {
  for (const text of textsOf(candidate)) {
    const found = findSecret(text);
    if (found !== null) return fail(`It holds ${found.kind}${placeInNote(candidate, text, found.index)}.`, 'secret_detected');
  }
  const kind = secretWordIn(candidate);
  return kind === null ? pass('It holds no secret that is known by its form.') : fail(`It holds ${kind}.`, 'secret_detected');
}

export const secretCues: BadCues = ({ finding }) => {
  const cues = finding.kind === 'choice' ? finding.cues : [];
  const bad = cues.flatMap(({ phrase }) => {
    const kind = secretIn(phrase) ?? wordOfSecret(phrase);
    return kind === null ? [] : [[phrase, { shown: '(not shown)', reason: `It holds ${kind}.` }] as const];
  });
  return new Map(bad);
};

function secretWordIn({ finding }: Candidate): string | null {
  if (finding.kind !== 'choice') return null;
  return finding.cues.map(({ phrase }) => wordOfSecret(phrase)).find((kind) => kind !== null) ?? null;
}

/** A word of a cue that goes back and forth between letters and digits: a password, or a part of a key. No word is lost by it. */
function wordOfSecret(phrase: string): string | null {
  const isOdd = phrase.split(/[^\p{L}\p{N}]+/u).some((word) => {
    const runs = word.match(/\p{L}+|\p{N}+/gu)?.length ?? 0;
    return word.length >= 8 && runs >= 4;
  });
  return isOdd ? 'what looks like a password or a part of a key' : null;
}
