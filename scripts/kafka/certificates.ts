import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

export interface Certificates {
  /** PEM file of the authority that clients have to trust. */
  ca: string;
  /** PKCS12 file with the brokers' key and certificate. */
  keystore: { file: string; password: string };
}

/** A certificate for 127.0.0.1, localhost and the address of the brokers, signed by an authority of its own whose key is thrown away. Made by keytool, which comes with every Java. */
export async function makeCertificates(keytool: string, { directory, host }: { directory: string; host: string }): Promise<Certificates> {
  const keystore = { file: join(directory, 'broker.p12'), password: 'broker-of-tests' };
  const ca = join(directory, 'ca.pem');
  if (existsSync(ca)) return { ca, keystore };
  const run = (command: string, ...args: string[]): Promise<void> =>
    runProgram(keytool, [command, '-keystore', keystore.file, '-storetype', 'PKCS12', '-storepass', keystore.password, ...args]);
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650'];
  await run('-genkeypair', '-alias', 'ca', '-dname', 'CN=Authority of tests', '-ext', 'bc:c', ...key);
  const names = `san=${[...new Set(['127.0.0.1', host])].map((address) => `ip:${address}`).join(',')},dns:localhost`;
  await run('-genkeypair', '-alias', 'broker', '-dname', 'CN=localhost', '-signer', 'ca', '-ext', names, ...key);
  await run('-exportcert', '-alias', 'ca', '-rfc', '-file', `${ca}.new`);
  // A broker could present any key of the file.
  await run('-delete', '-alias', 'ca');
  renameSync(`${ca}.new`, ca);
  return { ca, keystore };
}
