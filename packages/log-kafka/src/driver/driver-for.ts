import { readFileSync, statSync } from 'node:fs';
import { DreamfoldError } from '@dreamfold/events';
import type { KafkaPlace } from '../kafka-url.ts';
import type { ClientConfig } from './client-config.ts';
import type { KafkaDriver } from './driver.ts';
import type { OpenMember } from './membership.ts';
import { openWireDriver } from './wire/wire-driver.ts';

/** Who joins groups. Loaded when a group is joined: only workers and dreamers do, and the clients take longer to load than a command to run. */
const MEMBERS: Readonly<Record<KafkaPlace['driver'], () => Promise<OpenMember>>> = {
  kafkajs: async () => (await import('./kafkajs/kafkajs-member.ts')).openMember,
  platformatic: async () => (await import('./platformatic/platformatic-member.ts')).openMember,
};

/** The driver that a place names, with other ways to get there. It opens no connection before it needs one. */
export function openDriver(config: ClientConfig, name: KafkaPlace['driver'] = 'platformatic'): KafkaDriver {
  return openWireDriver(config, MEMBERS[name]);
}

/** @throws DreamfoldError config_invalid when the certificate file can't be read */
export function driverFor(place: KafkaPlace): KafkaDriver {
  return openDriver(configFor(place), place.driver);
}

/** @throws DreamfoldError config_invalid when the certificate file can't be read */
export function configFor({ brokers, clientId, tls, sasl }: KafkaPlace): ClientConfig {
  const ssl = tls === null ? {} : { ssl: tls.caFile === null ? true : { ca: readCertificate(tls.caFile) } };
  return { brokers, clientId, ...ssl, ...(sasl === null ? {} : { sasl }) };
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
