import { throwCode } from './broker-error.ts';
import type { Connection } from './connection.ts';
import { ScramExchange } from './scram.ts';
import type { SaslConfig } from '../client-config.ts';

const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;

/**
 * Logs in on a new connection.
 * @returns for how many ms; 0 without end
 * @throws BrokerError SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, never with the password
 */
export async function authenticate(connection: Connection, sasl: SaslConfig, timeoutMs: number): Promise<number> {
  const mechanism = sasl.mechanism.toUpperCase();
  await connection.ask({
    api: SASL_HANDSHAKE,
    version: 1,
    timeoutMs,
    write: (body) => body.string(mechanism),
    read: (answer) => throwCode(answer.int16(), `the brokers take ${answer.list(() => answer.string()).join(', ')}`),
  });
  const say = async (bytes: Uint8Array): Promise<{ bytes: Buffer; lastsMs: number }> =>
    await connection.ask({
      api: SASL_AUTHENTICATE,
      version: 1,
      timeoutMs,
      write: (body) => body.blob(bytes),
      read: (answer) => {
        throwCode(answer.int16(), answer.optionalString() ?? mechanism);
        return { bytes: answer.blob(), lastsMs: answer.int64() };
      },
    });
  if (sasl.mechanism === 'plain') return (await say(Buffer.from(`\0${sasl.username}\0${sasl.password}`))).lastsMs;
  const exchange = new ScramExchange(sasl.mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', sasl);
  const challenge = await say(Buffer.from(exchange.first));
  const outcome = await say(Buffer.from(await exchange.answer(challenge.bytes.toString())));
  exchange.verify(outcome.bytes.toString());
  return outcome.lastsMs;
}
