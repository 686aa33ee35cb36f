import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mebibytes, wrongFinding, type Finding } from '@dreamfold/log';
import type { ReplicaStorage } from '@dreamfold/log/backend';
import type { KafkaDriver, OffsetRange } from '../driver/driver.ts';
import { configFor, driverFor } from '../driver/driver-for.ts';
import { diagnose } from '../driver/wire/diagnose.ts';
import { parseKafkaUrl, type KafkaPlace } from '../kafka-url.ts';
import { REPAIR_FOLDER } from '../salvage/repair.ts';
import { checkTopic, topicSpecs } from '../topics/topics-spec.ts';
import { askedRights, brokerFindings } from './broker-findings.ts';
import { localReplicas } from './local-replicas.ts';

export interface ExamineOptions {
  url: string;
  /** Holds the replicas, as that of `openKafkaLog`. */
  directory: string;
  storage: ReplicaStorage;
  env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Looks at a log on Kafka: brokers, topics, and what this machine has of it. Nothing is made or written on the brokers, and no replica is
 * opened to write. What is wrong is a finding, and no error.
 * @throws DreamfoldError config_invalid for an address that is none
 */
export async function examineKafkaLog(options: ExamineOptions): Promise<Finding[]> {
  const place = parseKafkaUrl(options.url, options.env ?? {});
  const driver = driverFor(place);
  const findings: Finding[] = [];
  let ends: readonly OffsetRange[] | null = null;
  try {
    await driver.connect();
    const brokers = await driver.brokers();
    findings.push({
      about: 'brokers',
      state: 'well',
      text: `${brokers} ${brokers === 1 ? 'answers' : 'answer'} at ${place.brokers.join(', ')}`,
    });
    const asked = askedRights(place);
    findings.push(
      ...brokerFindings(place, await diagnose(configFor(place), { topics: [...asked.topics.keys()], groups: [...asked.groups.keys()] })),
    );
    findings.push(...(await topicsOf(driver, place, brokers)));
    ends = await driver.offsets(place.topics.events);
    findings.push(...beginnings(place.topics.events, ends));
  } catch (error) {
    findings.push(wrongFinding('brokers', error));
  } finally {
    await driver.close();
  }
  return [...findings, ...onThisMachine(options, place, ends)];
}

async function topicsOf(driver: KafkaDriver, place: KafkaPlace, brokers: number): Promise<Finding[]> {
  const specs = topicSpecs(place, brokers, await driver.describe(place.topics.events));
  const described = await Promise.allSettled(specs.map(({ topic }) => driver.describe(topic)));
  return described.map((one, i): Finding => {
    const spec = specs[i]!;
    if (one.status === 'rejected') return wrongFinding(spec.topic, one.reason);
    if (one.value === null) {
      return {
        ...{ about: spec.topic, state: 'wrong', text: 'the topic is not there' },
        remedy:
          'If there was a log, look at what deleted it before anything is opened to write. If not, the first command that writes makes it.',
      };
    }
    const problem = checkTopic(spec, one.value);
    if (problem !== null) return wrongFinding(spec.topic, problem);
    const replicas = Math.min(...one.value.replication);
    return {
      about: spec.topic,
      state: 'well',
      text: `partitions: ${one.value.replication.length}, replicas: ${replicas}, settings as they have to be`,
    };
  });
}

function beginnings(topic: string, ends: readonly OffsetRange[] | null): Finding[] {
  return (ends ?? []).flatMap(({ low }, partition): Finding[] =>
    low === 0
      ? []
      : [
          {
            ...{ about: `${topic}/${partition}`, state: 'wrong', text: `its first ${low} records were deleted` },
            remedy:
              'Set retention.ms and retention.bytes to -1. Import the newest export into another log, or fill a new topic from a whole replica.',
          },
        ],
  );
}

function onThisMachine({ directory, storage }: ExamineOptions, { prefix }: KafkaPlace, ends: readonly OffsetRange[] | null): Finding[] {
  const root = join(directory, prefix);
  const { replicas, former } = localReplicas(root);
  const findings = replicas.flatMap((replica) => replicaFindings(replica, storage, ends));
  if (replicas.length === 0)
    findings.push({ about: 'replicas', state: 'note', text: `none in ${root}: the next process reads the whole log` });
  const repair = join(root, REPAIR_FOLDER);
  if (existsSync(repair)) {
    findings.push({
      ...{ about: 'repair', state: 'note', text: `one is under way or was cut short: ${repair} holds payloads in the clear` },
      remedy: 'Let it end, or run `repair` again, or delete the folder.',
    });
  }
  if (former.length > 0) {
    const size = mebibytes(former.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    const names = former.map(({ directory: name }) => name).join(', ');
    findings.push({
      ...{ about: 'former replicas', state: 'note', text: `${former.length}, ${size}: ${names}` },
      remedy: 'Delete them when nobody needs what they hold, payloads in the clear among it.',
    });
  }
  return findings;
}

function replicaFindings(replica: string, storage: ReplicaStorage, ends: readonly OffsetRange[] | null): Finding[] {
  const about = `replica ${replica}`;
  try {
    const { partitions, incompletePuts } = storage.inspect(replica);
    const findings: Finding[] = [];
    const isPast = ends !== null && partitions.some(({ partition, offset }) => offset > (ends[partition]?.high ?? 0));
    if (isPast) {
      findings.push({
        ...{ about, state: 'wrong', text: 'it has read more than the topic holds: the topic was cut short, or is another one' },
        remedy: 'Stop what writes, and look at the brokers. Keep the replica: it may be the only whole copy.',
      });
    } else findings.push({ about, state: 'well', text: lagText(partitions, ends) });
    const aside = partitions.filter(({ setAside }) => setAside > 0);
    if (aside.length > 0) {
      const counts = aside.map(({ partition, setAside }) => `${setAside} of partition ${partition}`).join(', ');
      findings.push({
        ...{ about, state: 'note', text: `records that are no events were set aside: ${counts}` },
        remedy: 'Find out who else writes to the topic; `dreamfold verify` lists them.',
      });
    }
    if (incompletePuts.puts > 0) {
      const { puts, sizeBytes } = incompletePuts;
      findings.push({ about, state: 'note', text: `blobs of which a part has not come: ${puts}, ${mebibytes(sizeBytes)}` });
    }
    return findings;
  } catch (error) {
    return [wrongFinding(about, error)];
  }
}

function lagText(partitions: readonly { partition: number; offset: number }[], ends: readonly OffsetRange[] | null): string {
  const read = partitions.reduce((sum, { offset }) => sum + offset, 0);
  if (ends === null) return `${read} records read; how many there are is not known`;
  const lags = ends.map(({ high }, partition) => high - (partitions.find((one) => one.partition === partition)?.offset ?? 0));
  const behind = lags.flatMap((lag, partition) => (lag > 0 ? [`partition ${partition} by ${lag}`] : []));
  return `${read} records read, ${behind.length === 0 ? 'and no more there' : `behind in ${behind.join(', ')}`}`;
}
