import { describe, expect, it, vi } from 'vitest';
import { regexpSteps, repeated } from '../../testing/regexp-steps.ts';
import { NO_FAULTS } from '../candidate.ts';
import { KEY_FORMS } from './secret-forms.ts';
import { findSecret, secretCues, secretIn } from './secrets.ts';

/** Characters that look drawn by lot, always the same ones. Keys are put together here, so that no scanner finds any in this file. */
function drawn(length: number, alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'): string {
  return Array.from({ length }, (_, i) => alphabet[(Math.imul((i + 7) ** 3, 0x9e3779b1) >>> 13) % alphabet.length]!).join('');
}
const HEX = '0123456789abcdef';

const PLANTED: [kind: string, secret: string][] = [
  ['AWS', `AKIA${drawn(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`],
  ['AWS secret', `aws_secret_access_key = ${drawn(40)}`],
  ['GitHub', `ghp_${drawn(36)}`],
  ['GitHub fine-grained', `github_pat_${drawn(22)}_${drawn(59)}`],
  ['GitLab', `glpat-${drawn(20)}`],
  ['Slack', `xoxb-${drawn(12, '0123456789')}-${drawn(24)}`],
  ['Slack webhook', `https://hooks.slack.com/services/T${drawn(8)}/B${drawn(8)}/${drawn(24)}`],
  ['Stripe', `sk_live_${drawn(24)}`],
  ['Google', `AIza${drawn(35)}`],
  ['OpenAI', `sk-proj-${drawn(48)}`],
  ['Anthropic', `sk-ant-api03-${drawn(60)}`],
  ['Hugging Face', `hf_${drawn(34)}`],
  ['npm', `npm_${drawn(36)}`],
  ['SendGrid', `SG.${drawn(22)}.${drawn(43)}`],
  ['Twilio', `SK${drawn(32, HEX)}`],
  ['Telegram', `${drawn(9, '123456789')}:AA${drawn(33)}`],
  ['JWT', `eyJ${drawn(20)}.eyJ${drawn(40)}.${drawn(43)}`],
  ['PEM', '-----BEGIN RSA PRIVATE KEY-----'],
  ['PGP', '-----BEGIN PGP PRIVATE KEY BLOCK-----'],
  ['a database address', `postgres://admin:${drawn(12)}@db.example.com/main`],
  ['a header', `Authorization: Bearer ${drawn(40)}`],
  ['a password', 'password=Tr0ub4dor&3'],
  ['a password in a sentence', 'The password is hunter2X!'],
  ['a secret in JSON', `{"client_secret": "${drawn(24)}"}`],
  ['an Azure key', `AccountKey=${drawn(60)}==`],
  ['something long and random', drawn(48)],
  ['AWS for a role', `ASIA${drawn(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`],
  ['Alibaba', `LTAI${drawn(20)}`],
  ['age', `AGE-SECRET-KEY-1${drawn(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}`],
  ['PuTTY', 'PuTTY-User-Key-File-3: ssh-ed25519'],
  ['Discord', `M${drawn(23)}.${drawn(6)}.${drawn(27)}`],
  ['a Discord webhook', `https://discord.com/api/webhooks/${drawn(18, '123456789')}/${drawn(68)}`],
  ['Vault', `hvs.${drawn(24)}`],
  ['Terraform', `${drawn(14, HEX)}.atlasv1.${drawn(60)}`],
  ['Databricks', `dapi${drawn(32, HEX)}`],
  ['Datadog', `DD_API_KEY ${drawn(32, HEX)}`],
  ['Mailgun', `key-${drawn(32, HEX)}`],
  ['Mailchimp', `${drawn(32, HEX)}-us12`],
  ['Brevo', `xkeysib-${drawn(64, HEX)}-${drawn(16)}`],
  ['Doppler', `dp.st.prd.${drawn(40)}`],
  ['Linear', `lin_api_${drawn(40)}`],
  ['Notion', `secret_${drawn(43)}`],
  ['Square', `sq0csp-${drawn(43)}`],
  ['Heroku', `HRKU-${drawn(8, HEX)}-${drawn(4, HEX)}-${drawn(4, HEX)}-${drawn(4, HEX)}-${drawn(12, HEX)}`],
  ['Grafana', `glsa_${drawn(32)}_${drawn(8, HEX)}`],
  ['New Relic', `NRAK-${drawn(27, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}`],
  ['Sentry', `sntryu_${drawn(64, HEX)}`],
  ['Postman', `PMAK-${drawn(24, HEX)}-${drawn(34, HEX)}`],
  ['Pulumi', `pul-${drawn(40, HEX)}`],
  ['PlanetScale', `pscale_tkn_${drawn(43)}`],
  ['Airtable', `pat${drawn(14)}.${drawn(64, HEX)}`],
  ['Atlassian', `ATATT3${drawn(186)}`],
  ['1Password', `A3-${['ABC234', 'DEF567', 'GH89K', 'LM23N', 'PQ45R'].join('-')}`],
  ['Azure AD', `${drawn(3)}8Q~${drawn(34)}`],
  ['Docker', `dckr_pat_${drawn(27)}`],
  ['RubyGems', `rubygems_${drawn(48, HEX)}`],
  ['Groq', `gsk_${drawn(52)}`],
  ['Tailscale', `tskey-auth-${drawn(12)}-${drawn(30)}`],
  ['Shippo', `shippo_live_${drawn(40, HEX)}`],
  ['Plaid', `access-sandbox-${drawn(8, HEX)}-${drawn(4, HEX)}-${drawn(4, HEX)}-${drawn(4, HEX)}-${drawn(12, HEX)}`],
  ['32 hexadecimal digits', drawn(32, HEX)],
  ['64 hexadecimal digits', drawn(64, HEX)],
  ['a password without a user', `redis://:${drawn(8)}@host:6379`],
  ['a password of a connection', 'Server=db;User Id=sa;Password=Winter2024!;'],
  ['a short password', 'pwd: a1!b'],
  ['letters that a program assigns', 'password=SuperSecretLetters'],
  ['Passwort', 'Das Passwort lautet Sommer2024!'],
  ['contraseña', 'La contraseña es Verano2024!'],
  ['mot de passe', 'Le mot de passe est Printemps2024!'],
  ['PIN', 'My PIN is 4711'],
  ['a card', '4111 1111 1111 1111'],
  ['an American Express card', '378282246310005'],
  ['an account', 'DE89 3704 0044 0532 0130 00'],
  ['a social security number', '078-05-1120'],
];

describe('a secret', () => {
  it.each(PLANTED)('%s', (_kind, secret) => {
    for (const text of [secret, `Use ${secret} from now on.`, `first line\n\t${secret}\nlast line`]) expect(secretIn(text)).not.toBeNull();
  });

  const lowered = [
    'AWS',
    'GitHub',
    'GitLab',
    'Slack',
    'Stripe',
    'OpenAI',
    'Anthropic',
    'Vault',
    'Databricks',
    'Google',
    'npm',
    'Discord',
    'age',
  ];
  it.each(PLANTED.filter(([kind]) => lowered.includes(kind)))('%s in small letters', (_kind, secret) => {
    expect(secretIn(secret.toLowerCase())).not.toBeNull();
  });

  const anthropic = `sk-ant-api03-${drawn(40)}`;
  it.each([
    ['letter by letter', Array.from(anthropic).join(' ')],
    ['over two lines', `${anthropic.slice(0, 18)}\n${anthropic.slice(18)}`],
    ['as parts that a program joins', `"${anthropic.slice(0, 13)}" + "${anthropic.slice(13, 25)}" + "${anthropic.slice(25)}"`],
    ['in hexadecimal digits', Buffer.from(anthropic).toString('hex')],
    ['in base64', Buffer.from(anthropic).toString('base64')],
    ['in wide letters', anthropic.replaceAll(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))],
    ['with invisible characters', Array.from(anthropic).join('\u200b')],
    ['AWS with a blank', 'AKIA IOSFODNN7EXAMPLE'],
    ['AWS with dashes', 'AKIA-IOSF-ODNN-7EXA-MPLE'],
  ])('%s', (_what, secret) => {
    expect(secretIn(`Use ${secret} for it.`)).not.toBeNull();
  });

  it('is pointed at, and never repeated', () => {
    const found = findSecret(`Be kind.\nLog in with ghp_${drawn(36)}.`)!;
    expect(found).toEqual({ kind: 'a GitHub token', index: 21 });
  });
});

describe('a cue', () => {
  it.each(['hunter2passw0rd', 'ab3d5fg7h', 'my akiaiosfodnn7example', 'password is hunter2'])('%j is no word', (phrase) => {
    expect(cuesDropped(phrase)).toEqual([phrase]);
  });

  it.each(['iphone13pro', 'covid19', 'rtx3080ti', 'b2b customer', 'mp3', 'my password', 'secret santa', '2nd-hand phone'])(
    '%j is one',
    (phrase) => {
      expect(cuesDropped(phrase)).toEqual([]);
    },
  );
});

function cuesDropped(phrase: string): string[] {
  const cues = [{ phrase, points: 10, sessions: 3, principals: 3 }];
  const support = { sessions: 3, principals: 3 };
  const finding = { kind: 'choice' as const, id: 'i', tool: 't', field: 'f', value: 'v', cues, support };
  const said = {
    origin: 'learnt' as const,
    reason: '',
    claim: '',
    evidence: [],
    faults: NO_FAULTS,
    witnesses: new Map(),
    turns: [],
    text: '',
  };
  const context = {
    constitution: [],
    known: [],
    isLearnt: () => false,
    lessons: () => [],
    counts: new Map(),
    untrusted: [],
    toldPoints: () => 0,
    guarded: () => null,
  };
  return [...secretCues({ ...said, finding }, context).keys()];
}

it.each([
  'Your password must have 8 characters.',
  'Reset the token by e-mail. The secret of good service is patience.',
  'Call get_all_user_accounts_by_user_id_3847 with the id sara_doe_496.',
  'commit 3f786850e387550fdab836ed7e6dc881de23001b',
  'https://example.com/docs/getting-started/with-a-very-long-path-that-goes-on',
  'password: ask the customer to reset it',
  'API key rotation takes 24 hours',
  'The password is wrong',
  'The secret is patience, and the token is expired.',
  'The pin is 4 digits long',
  'Order 1234 5678 9012 3456 and the tracking number 9400111899223100001234',
  'Session 550e8400-e29b-41d4-a716-446655440000',
  'Call 555-0134 or write to support@example.com',
  'GB82 WEST 1234 5698 7654 33',
])('is not seen in %j', (text) => {
  expect(secretIn(text)).toBeNull();
});

/** The calls of patterns while a secret is looked for, and the steps that all of these take. */
function workOf(text: string): { calls: number; steps: number } {
  const spy = vi.spyOn(RegExp.prototype, 'exec');
  secretIn(text);
  const calls = spy.mock.calls.map(([read], i) => ({ pattern: spy.mock.contexts[i] as RegExp, read }));
  spy.mockRestore();
  // Each counts as a search for every match: the calls that go on with one are part of it.
  const steps = new Map(calls.map(({ pattern, read }) => [`${pattern} ${read}`, { pattern, read }]));
  return { calls: calls.length, steps: [...steps.values()].reduce((sum, { pattern, read }) => sum + regexpSteps(pattern)(read), 0) };
}

it.each(['a', '1aA', 'password=', 'sk-', 'eyJ.', '-----BEGIN ', '://a:', `${'x'.repeat(31)} `, 'a b ', '4111 ', 'AB12 ', 'deadbeef', '0-'])(
  'is looked for in twice the steps in twice the text: %j',
  (part) => {
    const [half, whole] = [workOf(repeated(part, 4096)), workOf(repeated(part, 8192))];
    expect(whole.calls).toBeLessThan(2.3 * half.calls);
    expect(whole.steps).toBeLessThan(2.3 * half.steps);
  },
);

it.each(KEY_FORMS)(
  'the form of %s takes twice the steps for twice the text of its own words, and few for each character',
  (_name, form) => {
    const steps = regexpSteps(form);
    const words = [...new Set(form.source.match(/[A-Za-z0-9_.-]{2,}/g)), 'a1', '-'].slice(0, 20);
    for (const part of words.flatMap((word) => ['', ' ', '-', '='].map((after) => word + after))) {
      const [half, whole] = [steps(repeated(part, 512)), steps(repeated(part, 1024))];
      expect({ part, isLinear: whole < 2.3 * half && whole < 200 * 1024 }).toMatchObject({ isLinear: true });
    }
  },
);
