import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startKafka } from '../../../../scripts/kafka/kafka-broker.ts';
import type { KafkaDriver, Membership } from './driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import { openDriver } from './driver-for.ts';

const DRIVER = join(import.meta.dirname, 'driver-for.ts');
const ALL = Array.from({ length: 12 }, (_, partition) => partition);
const SESSION_TIMEOUT_MS = 6_000;
let groups = 0;

interface Group {
  group: string;
  topic: string;
  sessionTimeoutMs: number;
}

interface Member {
  membership: Membership;
  /** Newest last. */
  assigned: (readonly number[])[];
  connections: (Error | null)[];
}

type Client = KafkaPlace['driver'];

async function connected(client: Client, brokers = inject('kafkaBrokers')): Promise<KafkaDriver> {
  const driver = openDriver({ brokers: brokers.split(','), clientId: 'test' }, client);
  onTestFinished(() => driver.close());
  await driver.connect();
  return driver;
}

async function newGroup(driver: KafkaDriver): Promise<Group> {
  const topic = `work-${process.pid}-${(groups += 1)}`;
  await driver.createTopic({ topic, partitions: ALL.length, replication: 1, settings: {} });
  return { group: `${topic}.workers`, topic, sessionTimeoutMs: SESSION_TIMEOUT_MS };
}

async function joined(driver: KafkaDriver, group: Group): Promise<Member> {
  const assigned: (readonly number[])[] = [];
  const connections: (Error | null)[] = [];
  const membership = await driver.join({
    ...group,
    onAssigned: (partitions) => assigned.push(partitions),
    onConnection: (error) => connections.push(error),
  });
  onTestFinished(() => membership.leave());
  return { membership, assigned, connections };
}

function newest(...members: readonly { assigned: (readonly number[])[] }[]): (readonly number[])[] {
  return members.map(({ assigned }) => assigned.at(-1) ?? []);
}

async function shared(counts: readonly number[], ...members: readonly { assigned: (readonly number[])[] }[]): Promise<void> {
  const check = (): void => {
    const now = newest(...members);
    expect(now.flat().sort((a, b) => a - b)).toEqual(ALL);
    expect(now.map((own) => own.length)).toEqual(counts);
  };
  await vi.waitFor(check, { timeout: 30_000, interval: 20 });
}

/** A member in a process of its own. */
function childMember(group: Group, client: Client): { child: ChildProcess; assigned: number[][] } {
  const program = `
    import { openDriver } from ${JSON.stringify(DRIVER)};
    const driver = openDriver({ brokers: ${JSON.stringify(inject('kafkaBrokers').split(','))}, clientId: 'child' }, '${client}');
    await driver.join({ ...${JSON.stringify(group)}, onAssigned: (own) => console.log(JSON.stringify(own)) });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const assigned: number[][] = [];
  createInterface(child.stdout).on('line', (line) => assigned.push(JSON.parse(line) as number[]));
  return { child, assigned };
}

describe.each<Client>(['kafkajs', 'platformatic'])('%s:', (client) => {
  describe('members of a group', () => {
    test('share the partitions, and keep theirs when others come and go', async () => {
      const driver = await connected(client);
      const group = await newGroup(driver);
      const first = await joined(driver, group);
      await shared([12], first);
      const second = await joined(driver, group);
      await shared([6, 6], first, second);
      const third = await joined(driver, group);
      await shared([4, 4, 4], first, second, third);
      const [firstHad, , thirdHad] = newest(first, second, third);
      const leaving = performance.now();
      await second.membership.leave();
      expect(performance.now() - leaving).toBeLessThan(1_000);
      await shared([6, 6], first, third);
      const [firstHas, thirdHas] = newest(first, third);
      expect(firstHas).toEqual(expect.arrayContaining([...firstHad!]));
      expect(thirdHas).toEqual(expect.arrayContaining([...thirdHad!]));
      const calls = second.assigned.length;
      await third.membership.leave();
      await shared([12], first);
      expect(second.assigned).toHaveLength(calls);
      expect(first.connections).toEqual([]);
    });

    test('that are silent for too long lose theirs, and come back by themselves', async () => {
      const driver = await connected(client);
      const group = await newGroup(driver);
      const suspended = childMember(group, client);
      await shared([12], suspended);
      const stays = await joined(driver, group);
      await shared([6, 6], suspended, stays);
      suspended.child.kill('SIGSTOP');
      await shared([12], stays);
      suspended.child.kill('SIGCONT');
      await shared([6, 6], suspended, stays);
      expect(stays.connections).toEqual([]);
      suspended.child.kill('SIGKILL');
      await shared([12], stays);
    });
  });

  test('a member joins at once after another was killed, and waits until the group has given that one up', async () => {
    const driver = await connected(client);
    const group = await newGroup(driver);
    const slow = { ...group, sessionTimeoutMs: 10_000 };
    const killed = childMember(slow, client);
    await shared([12], killed);
    killed.child.kill('SIGKILL');
    const next = await joined(driver, slow);
    await shared([12], next);
  });

  test('a join that waits ends with its driver', async () => {
    const driver = await connected(client);
    const group = await newGroup(driver);
    const killed = childMember({ ...group, sessionTimeoutMs: 30_000 }, client);
    await shared([12], killed);
    killed.child.kill('SIGKILL');
    const joining = driver.join({ ...group, sessionTimeoutMs: 30_000, onAssigned: () => {} }).catch((error: unknown) => error);
    expect(await Promise.race([joining, sleep(2_000, 'waits')])).toBe('waits');
    const closing = performance.now();
    await driver.close();
    expect(await joining).toMatchObject({ code: 'store_unavailable' });
    expect(performance.now() - closing).toBeLessThan(3_000);
  });

  test.skipIf(!inject('canStartKafka'))('a member outlives a broker that is killed and started again', async () => {
    const kafka = await startKafka({ sessionTimeoutMs: 1_000 });
    onTestFinished(() => kafka.stop());
    const driver = await connected(client, kafka.brokers);
    const group = await newGroup(driver);
    const [first, second] = [await joined(driver, group), await joined(driver, group)];
    await shared([6, 6], first, second);
    await kafka.node(1).kill();
    await vi.waitFor(() => expect([first, second].map(({ connections }) => connections.length)).toEqual([1, 1]), 20_000);
    expect(first.connections[0]).toBeInstanceOf(Error);
    first.assigned.length = second.assigned.length = 0;
    await kafka.node(1).start();
    await shared([6, 6], first, second);
    await vi.waitFor(() => expect([first, second].map(({ connections }) => connections.at(-1))).toEqual([null, null]), 20_000);
  });
});

test('members join one group, whichever client they have', async () => {
  const [one, other] = [await connected('kafkajs'), await connected('platformatic')];
  const group = await newGroup(one);
  const first = await joined(one, group);
  await shared([12], first);
  const second = await joined(other, group);
  await shared([6, 6], first, second);
  await first.membership.leave();
  await shared([12], second);
  const third = await joined(one, group);
  await shared([6, 6], second, third);
});
