import { readFileSync, statSync } from 'node:fs';
import { DreamfoldError } from '@dreamfold/events';
import type { KafkaDriver } from './driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import { openKafkajsDriver } from './kafkajs/kafkajs-driver.ts';

/** @throws DreamfoldError config_invalid when the certificate file can't be read */
export function driverFor({ brokers, clientId, tls, sasl }: KafkaPlace): KafkaDriver {
  const ssl = tls === null ? {} : { ssl: tls.caFile === null ? true : { ca: readCertificate(tls.caFile) } };
  return openKafkajsDriver({ brokers, clientId, ...ssl, ...(sasl === null ? {} : { sasl }) });
}

function readCertificate(path: string): string {
  try {
    // A pipe would be waited for, for ever.
    if (!statSync(path).isFile()) throw new TypeError('it is not a file');
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DreamfoldError('config_invalid', `The certificate ${path} can't be read: ${(cause as Error).message}`, {
      path: 'ca',
      value: path,
      remedy: 'Name a PEM file with the certificate of the authority that signed those of the brokers.',
      cause,
    });
  }
}
