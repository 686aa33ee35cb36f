import { describe, expect, it } from 'vitest';
import { secretIn } from './secrets.ts';

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
];

describe('a secret', () => {
  it.each(PLANTED)('%s', (_kind, secret) => {
    for (const text of [secret, `Use ${secret} from now on.`, `first line\n\t${secret}\nlast line`]) expect(secretIn(text)).not.toBeNull();
  });
});

it.each([
  'Your password must have 8 characters.',
  'Reset the token by e-mail. The secret of good service is patience.',
  'Call get_all_user_accounts_by_user_id_3847 with the id sara_doe_496.',
  'commit 3f786850e387550fdab836ed7e6dc881de23001b',
  'https://example.com/docs/getting-started/with-a-very-long-path-that-goes-on',
  'password: ask the customer to reset it',
  'API key rotation takes 24 hours',
])('is not seen in %j', (text) => {
  expect(secretIn(text)).toBeNull();
});

it('is looked for in linear time', () => {
  const started = performance.now();
  for (const part of ['a', '1aA', 'password=', 'sk-', 'eyJ.', '-----BEGIN ', '://a:', 'x'.repeat(31) + ' '])
    secretIn(part.repeat(64_000 / part.length));
  expect(performance.now() - started).toBeLessThan(400);
});
