import { fail, pass, textsOf, type Candidate, type Verdict } from './candidate.ts';

/** Past this a text is no memory; `shape` stops it. Each pattern is linear in the text. */
const MAX_CHARS = 20_000;

/** Forms of keys that their issuers document. */
const KEYS: readonly [name: string, pattern: RegExp][] = [
  ['a private key', /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/],
  ['an AWS key', /\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[A-Z2-7]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255})/],
  ['a GitLab token', /\bgl(?:pat|dt|rt|ptt|cbt|soat|ft)-[A-Za-z0-9_-]{20,64}/],
  [
    'a Slack token',
    /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}|\bxapp-\d-[A-Za-z0-9-]{10,250}|hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{20,}/,
  ],
  ['a Stripe key', /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,250}|\bwhsec_[A-Za-z0-9+/=]{20,}/],
  ['a Google key', /\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}/],
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{20,}/],
  ['an OpenAI key', /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{30,}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}/],
  ['a PyPI token', /\bpypi-[A-Za-z0-9_-]{40,}/],
  ['a SendGrid key', /\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}/],
  ['a Twilio key', /\b(?:SK|AC)[0-9a-f]{32}\b/],
  ['a Telegram token', /\b\d{8,10}:AA[A-Za-z0-9_-]{32,}/],
  ['a DigitalOcean token', /\bdo[opr]_v1_[a-f0-9]{64}/],
  ['a Shopify token', /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/],
  ['an Azure key', /\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/=]{40,}/],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/],
  ['a password in an address', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{1,100}:[^\s:@/]{3,100}@[^\s/]/i],
  ['credentials in a header', /\b(?:Bearer|Basic)\s+(?=[A-Za-z0-9+/=._~-]*\d)[A-Za-z0-9+/=._~-]{20,}/],
];

/** `password = …` and the like; the value decides. */
const NAMED =
  /(?:password|passwd|passphrase|pwd|secret|token|api[_ -]?key|access[_ -]?key|auth[_ -]?key|private[_ -]?key|credentials?)["']?\s{0,3}(?:=|:|\bis\b)\s{0,3}["'`]?([^\s"'`,;<>{}]{6,200})/gi;
/** A long run that looks drawn by lot. */
const LONG_RUN = /[A-Za-z0-9+/_=-]{32,512}/g;

/** What kind of secret a text holds, or null. Never the secret itself. */
export function secretIn(text: string): string | null {
  const read = text.slice(0, MAX_CHARS);
  const key = KEYS.find(([, pattern]) => pattern.test(read));
  if (key !== undefined) return key[0];
  for (const [, value] of read.matchAll(NAMED)) if (isMixed(value!) && entropy(value!) >= 2.5) return 'a password or key with its name';
  for (const [run] of read.matchAll(LONG_RUN)) if (isDrawn(run)) return 'a long random string';
  return null;
}

/** A digit, and two kinds of characters or more: no plain word. */
function isMixed(value: string): boolean {
  return /\d/.test(value) && [/[a-z]/, /[A-Z]/, /[^A-Za-z0-9]/].some((kind) => kind.test(value));
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

/** No password, key or token gets into a memory. */
export function secrets(candidate: Candidate): Verdict {
  for (const text of textsOf(candidate)) {
    const kind = secretIn(text);
    if (kind !== null) return fail(`It holds ${kind}.`, 'secret_detected');
  }
  return pass('It holds no secret that is known by its form.');
}
