import type { Finding } from '@dreamfold/log';
import type { Diagnosis } from '../driver/wire/diagnose.ts';
import type { KafkaPlace } from '../kafka-url.ts';

/** A clock that differs by less than this makes no difference to anything here. */
const MAX_AHEAD_MS = 2_000;

const SHARED = ['READ', 'WRITE', 'DESCRIBE_CONFIGS'] as const;
/** Without these nothing can be opened. */
const NEEDED: ReadonlySet<string> = new Set(['READ', 'DESCRIBE_CONFIGS']);

/** What the topics and groups of a log are asked for. */
export function askedRights({ prefix, topics }: KafkaPlace): {
  topics: Map<string, readonly string[]>;
  groups: Map<string, readonly string[]>;
} {
  return {
    topics: new Map<string, readonly string[]>([
      [topics.events, SHARED],
      [topics.keys, SHARED],
      [topics.blobs, SHARED],
      [topics.work, ['READ', 'DESCRIBE_CONFIGS']],
    ]),
    groups: new Map([
      [`${prefix}.workers`, ['READ']],
      [`${prefix}.dreamers`, ['READ']],
    ]),
  };
}

/** What brokers say of themselves, of this user and of the time, for an operator. */
export function brokerFindings(place: KafkaPlace, diagnosis: Diagnosis): Finding[] {
  return [...versionFindings(diagnosis), ...rightFindings(place, diagnosis), clockFinding(diagnosis)];
}

function versionFindings({ brokers }: Diagnosis): Finding[] {
  const lacking = brokers.filter(({ lacks }) => lacks.length > 0);
  if (lacking.length > 0)
    return lacking.map(({ address, lacks }): Finding => ({
      ...{ about: `broker ${address}`, state: 'wrong', text: `it does not know ${lacks.join(', ')}` },
      remedy: 'Take brokers of Kafka 2.4 to 4.x.',
    }));
  const levels = [...new Set(brokers.map(({ metadataLevel }) => metadataLevel))].filter((level) => level !== null);
  const level = levels.length === 0 ? '' : `, metadata.version ${levels.join(' and ')}`;
  return [{ about: 'versions', state: 'well', text: `every broker knows the requests of a log${level}` }];
}

function rightFindings(place: KafkaPlace, { topicRights, groupRights }: Diagnosis): Finding[] {
  const asked = askedRights(place);
  const lacking = (has: Diagnosis['topicRights'], wants: Map<string, readonly string[]>, option: string): Finding[] =>
    [...wants].flatMap(([name, operations]): Finding[] => {
      const may = has.get(name) ?? null;
      // A right to change settings or to delete, as an administrator has it, is no right that a log asks for.
      const lacks = may === null ? [] : operations.filter((operation) => !may.includes(operation));
      if (lacks.length === 0) return [];
      const text = `this user may not ${lacks.join(', ')}`;
      const state = option === '--topic' && lacks.some((operation) => NEEDED.has(operation)) ? 'wrong' : 'note';
      return [
        { about: `rights ${name}`, state, text: `${text}${consequence(lacks, option)}`, remedy: remedyOf(place, { name, lacks, option }) },
      ];
    });
  const findings = [...lacking(topicRights, asked.topics, '--topic'), ...lacking(groupRights, asked.groups, '--group')];
  const isSaid = [...topicRights.values()].some((rights) => rights !== null);
  if (findings.length > 0 || !isSaid) return findings;
  return [{ about: 'rights', state: 'well', text: 'this user may read and write the log, and run workers and dreamers' }];
}

function consequence(lacks: readonly string[], option: string): string {
  if (option === '--group') return ': it can run none of these processes';
  return lacks.some((operation) => NEEDED.has(operation)) ? ": it can't open the log" : ': it can only read';
}

function remedyOf({ sasl }: KafkaPlace, { name, lacks, option }: { name: string; lacks: readonly string[]; option: string }): string {
  const operations = lacks.map((operation) => `--operation ${operation}`).join(' ');
  const user = sasl === null ? 'ANONYMOUS' : sasl.username;
  return `Where it has to: kafka-acls --add --allow-principal "User:${user}" ${operations} ${option} ${name}`;
}

function clockFinding({ clock }: Diagnosis): Finding {
  if (clock === null) {
    const text = 'the brokers do not say what time it is: that takes Kafka 3.3 and the right to DESCRIBE the cluster';
    return { about: 'clock', state: 'note', text };
  }
  const { aheadMs, errorMs } = clock;
  const differs = `this machine's is ${Math.abs(aheadMs)} ms ${aheadMs > 0 ? 'behind' : 'ahead of'} that of the brokers' controller, give or take ${errorMs} ms`;
  if (Math.abs(aheadMs) - errorMs <= MAX_AHEAD_MS) return { about: 'clock', state: 'well', text: differs };
  return {
    ...{ about: 'clock', state: 'note', text: differs },
    remedy:
      'Synchronize both (NTP). Nothing is lost by it: events have the time of the brokers, and deadlines that of the machine that keeps them.',
  };
}
