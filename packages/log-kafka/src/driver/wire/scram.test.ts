import { expect, test } from 'vitest';
import { ScramExchange } from './scram.ts';

const USER = { username: 'user', password: 'pencil' };
const CHALLENGE = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const open = (): ScramExchange => new ScramExchange('sha256', USER, 'rOprNGfwEbeRWgbNEkqO');

test('the example of RFC 7677, section 3', async () => {
  const exchange = open();
  expect(exchange.first).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  expect(await exchange.answer(CHALLENGE)).toBe(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  );
  expect(() => exchange.verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).not.toThrow();
});

test('a broker that does not know the password is not believed', async () => {
  const exchange = open();
  await exchange.answer(CHALLENGE);
  for (const outcome of ['v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', 'e=other-error', ''])
    expect(() => exchange.verify(outcome)).toThrow('does not know the password');
  expect(() => open().verify('v=')).toThrow('does not know the password');
});

test.each([
  ['another nonce', 'r=somebody,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
  ['nothing of its own in the nonce', 'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
  ['too few iterations', CHALLENGE.replace('4096', '1')],
  ['iterations without end', CHALLENGE.replace('4096', '99999999999')],
  ['no salt', 'r=rOprNGfwEbeRWgbNEkqO1,i=4096'],
  ['nothing', ''],
])('a challenge with %s is not answered', async (_, challenge) => {
  await expect(open().answer(challenge)).rejects.toThrow('is none');
});

test('names hold no separators', () => {
  expect(new ScramExchange('sha512', { username: 'a=b,c', password: 'p' }, 'r').first).toBe('n,,n=a=3Db=2Cc,r=r');
});
