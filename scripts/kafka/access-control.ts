// What users may do on brokers that have an authorizer, as `kafka-acls` sets it.
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
import type { KafkaCluster } from './kafka-broker.ts';

/** What a user may do with one topic or group. */
export interface Grant {
  user: string;
  type: 'TOPIC' | 'GROUP';
  name: string;
  operations: readonly string[];
}

export async function allow({ kafka, grants }: { kafka: KafkaCluster; grants: readonly Grant[] }): Promise<void> {
  await administer(kafka, async (admin) => void (await admin.createAcls({ acl: grants.flatMap(entriesOf) })));
}

/** Takes grants back; nobody is denied anything. */
export async function disallow({ kafka, grants }: { kafka: KafkaCluster; grants: readonly Grant[] }): Promise<void> {
  await administer(kafka, async (admin) => void (await admin.deleteAcls({ filters: grants.flatMap(entriesOf) })));
}

function entriesOf({ user, type, name, operations }: Grant): kafkajs.AclEntry[] {
  return operations.map((operation) => ({
    ...{ resourceType: kafkajs.AclResourceTypes[type], resourceName: name, resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL },
    ...{ principal: `User:${user}`, host: '*', permissionType: kafkajs.AclPermissionTypes.ALLOW },
    operation: kafkajs.AclOperationTypes[operation as 'READ'],
  }));
}

/** As the first user, who may do all. */
async function administer(
  { brokers, ca, username, password }: KafkaCluster,
  run: (admin: ReturnType<kafkajs.Kafka['admin']>) => Promise<void>,
): Promise<void> {
  const sasl = { mechanism: 'scram-sha-512', username: username!, password: password! } as const;
  const ssl = { ca: readFileSync(ca!) };
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), ssl, sasl, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await run(admin);
  } finally {
    await admin.disconnect();
  }
}
