import { DreamfoldError } from '@dreamfold/events';
import type { KafkaPlace } from '../kafka-url.ts';

/** What a node expects on the brokers, because this machine has replicas of it. */
export interface Expected {
  place: KafkaPlace;
  logIds: readonly string[];
  /** Holds the replicas, in a folder for each log. */
  root: string;
}

/** The log that this machine has a replica of is not there any more. Nothing is begun in its place. */
export function lostLog({ place, logIds, root }: Expected, found: string): DreamfoldError {
  const url = urlOf(place);
  return new DreamfoldError('log_diverged', `${url} is not the log that this machine has a replica of, ${logIds.join(' or ')}: ${found}`, {
    path: place.topics.events,
    value: { expected: logIds, found },
    remedy:
      `Nothing was written. If the topics were lost, stop the workers; then restore the topics from a copy of the brokers, or fill new ones with \`dreamfold repair --from-replica DIR\`, DIR being the folder of the log in ${root}. ` +
      'Commands that only look read it meanwhile with --replica DIR. If another log is to be here from now on, say --accept-new-log once; the replica stays where it is.',
  });
}

/** The topic holds less of the log than this machine's replica. */
export function olderTopic(place: KafkaPlace, { replica, what }: { replica: string; what: string }): DreamfoldError {
  return new DreamfoldError('log_diverged', `${urlOf(place)} lacks what the replica in ${replica} holds: ${what}`, {
    path: place.topics.events,
    value: replica,
    remedy:
      'Nothing was written. The replica is the better copy, such as when the brokers were restored from an older backup: stop the workers, delete what is left of the four topics, and fill new ones with ' +
      `\`dreamfold repair --from-replica ${replica}\`. Commands that only look read it meanwhile with --replica. To go on with what the brokers have, say --accept-new-log once; the replica is then kept in former-….`,
  });
}

export function urlOf({ brokers, prefix }: Pick<KafkaPlace, 'brokers' | 'prefix'>): string {
  return `kafka://${brokers.join(',')}/${prefix}`;
}
