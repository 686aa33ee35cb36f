import { isDreamfoldError } from '@dreamfold/events';
import { describe, expect, test } from 'vitest';
import type { TopicDescription, TopicSpec } from '../driver/driver.ts';
import { parseKafkaUrl } from '../kafka-url.ts';
import { checkTopic, topicSpecs } from './topics-spec.ts';

const place = parseKafkaUrl('kafka://a/p');
const asked = parseKafkaUrl('kafka://a/p?partitions=5&replication=2');

/** The topic as a broker describes it once it is made. */
function made({ partitions, replication, settings }: TopicSpec): TopicDescription {
  return { replication: Array.from({ length: partitions }, () => replication), settings: { 'segment.bytes': '1073741824', ...settings } };
}

const shape = (specs: readonly TopicSpec[]) => specs.map(({ topic, partitions, replication }) => [topic, partitions, replication]);

describe('the topics of a log', () => {
  test('are four, with three replicas where there are as many brokers', () => {
    expect(shape(topicSpecs(place, 1))).toEqual([
      ['p.events', 12, 1],
      ['p.keys', 1, 1],
      ['p.blobs', 1, 1],
      ['p.work', 12, 1],
    ]);
    expect(topicSpecs(place, 2).map(({ replication }) => replication)).toEqual([2, 2, 2, 2]);
    expect(topicSpecs(place, 7).map(({ replication }) => replication)).toEqual([3, 3, 3, 3]);
  });

  test('keep what the address asks for, then what is there', () => {
    const found = { replication: [3, 3, 2, 3], settings: {} };
    expect(shape(topicSpecs(asked, 9, found))[0]).toEqual(['p.events', 5, 2]);
    expect(shape(topicSpecs(place, 9, found))).toEqual([
      ['p.events', 4, 2],
      ['p.keys', 1, 2],
      ['p.blobs', 1, 2],
      ['p.work', 4, 2],
    ]);
  });

  test('lose nothing that was acknowledged', () => {
    const [events, keys, blobs, work] = topicSpecs(place, 3);
    expect(events!.settings).toEqual({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'unclean.leader.election.enable': 'false',
      'min.insync.replicas': '2',
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': '8388608',
      'compression.type': 'uncompressed',
    });
    expect(blobs!.settings).toEqual(events!.settings);
    expect(keys!.settings).toMatchObject({ 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '86400000', 'min.insync.replicas': '2' });
    expect(work!.settings).toEqual({});
    expect(topicSpecs(place, 2)[0]!.settings['min.insync.replicas']).toBe('1');
  });
});

describe('a topic that is there', () => {
  const specs = topicSpecs(place, 3);
  const [events, keys, , work] = specs as [TopicSpec, TopicSpec, TopicSpec, TopicSpec];

  test.each(specs)('is taken as it was made: $topic', (spec) => {
    expect(checkTopic(spec, made(spec))).toBeNull();
  });

  test('is taken with more than was asked for', () => {
    const { replication, settings } = made(events);
    const more = {
      replication: replication.map(() => 5),
      settings: { ...settings, 'max.message.bytes': '9000000', 'min.insync.replicas': '3' },
    };
    expect(checkTopic(events, more)).toBeNull();
    expect(checkTopic(keys, { ...made(keys), settings: { ...made(keys).settings, 'max.compaction.lag.ms': '1000' } })).toBeNull();
  });

  test.each<[TopicSpec, setting: string, value: string | undefined]>([
    [events, 'cleanup.policy', 'compact'],
    [events, 'cleanup.policy', 'compact,delete'],
    [events, 'retention.ms', '604800000'],
    [events, 'retention.bytes', '1073741824'],
    [events, 'unclean.leader.election.enable', 'true'],
    [events, 'min.insync.replicas', '1'],
    [events, 'message.timestamp.type', 'CreateTime'],
    [events, 'max.message.bytes', '1048588'],
    [events, 'max.message.bytes', ''],
    [events, 'retention.ms', undefined],
    [keys, 'cleanup.policy', 'delete'],
    [keys, 'max.compaction.lag.ms', '9223372036854775807'],
  ])('is refused with %j changed: %s=%s', (spec, setting, value) => {
    const description = made(spec);
    const { [setting]: _, ...rest } = description.settings;
    const problem = checkTopic(spec, { ...description, settings: value === undefined ? rest : { ...rest, [setting]: value } });
    expect(isDreamfoldError(problem, 'config_invalid')).toBe(true);
    expect([problem!.path, problem!.value]).toEqual([`${spec.topic}/${setting}`, value ?? null]);
    expect(problem!.remedy).toBe(
      `Run kafka-configs --bootstrap-server HOST:PORT --alter --entity-type topics --entity-name ${spec.topic} --add-config ${setting}=${spec.settings[setting]}`,
    );
  });

  test('is refused with all that is wrong, and one command that mends it', () => {
    const { replication } = made(events);
    const problem = checkTopic(events, {
      replication,
      settings: { ...made(events).settings, 'retention.ms': '1', 'cleanup.policy': 'compact' },
    })!;
    expect(problem.message).toContain('cleanup.policy=compact instead of delete, retention.ms=1 instead of -1');
    expect(problem.remedy).toMatch(/--add-config cleanup\.policy=delete,retention\.ms=-1$/);
  });

  test('is refused with other partitions: those of a log never change', () => {
    for (const partitions of [11, 13]) {
      expect(checkTopic(events, made({ ...events, partitions }))).toMatchObject({
        code: 'config_invalid',
        path: 'p.events/partitions',
        value: partitions,
      });
    }
    expect(checkTopic(events, made({ ...events, partitions: 11 }))!.remedy).toContain('leave partitions out');
    expect(checkTopic(work, made({ ...work, partitions: 11 }))!.remedy).toContain('--delete --topic p.work');
  });

  test('is refused with fewer replicas, of any partition', () => {
    const { settings } = made(events);
    const problem = checkTopic(events, { settings, replication: [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2] });
    expect(problem).toMatchObject({ code: 'config_invalid', path: 'p.events/replication', value: 2 });
    expect(problem!.remedy).toContain('replication=2');
  });
});
