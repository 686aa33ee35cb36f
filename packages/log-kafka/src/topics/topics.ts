import { DreamfoldError } from '@dreamfold/events';
import type { KafkaDriver, OffsetRange, TopicSpec } from '../driver/driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import { urlOf } from '../identity/identity-errors.ts';
import { checkTopic, topicSpecs } from './topics-spec.ts';

/**
 * Creates the topics of a log that are not there, and checks those that are.
 * @throws DreamfoldError config_invalid, which names the setting and the command that changes it; store_unavailable
 */
export async function ensureTopics(driver: KafkaDriver, place: KafkaPlace): Promise<void> {
  const onWrong = (problem: DreamfoldError): never => {
    throw problem;
  };
  const onMissing = async (spec: TopicSpec): Promise<void> => {
    await driver.createTopic(spec);
    // Another process may have been faster, with other settings.
    const made = await driver.describe(spec.topic);
    const problem = made === null ? null : checkTopic(spec, made);
    if (problem !== null) onWrong(problem);
  };
  await checkTopics(driver, { place, onMissing, onWrong });
}

export interface TopicsCheck {
  place: KafkaPlace;
  /** Told of a topic that is not there: throws, or creates it. */
  onMissing: (spec: TopicSpec) => Promise<void>;
  /** Told of a topic with settings in which a log could lose records; throws when the log is not to be used then. */
  onWrong: (problem: DreamfoldError) => void;
}

/**
 * Checks the topics of a log that has to be there.
 * @throws DreamfoldError what `onMissing` and `onWrong` throw; store_unavailable
 */
export async function checkTopics(driver: KafkaDriver, { place, onMissing, onWrong }: TopicsCheck): Promise<void> {
  const found = await driver.describe(place.topics.events);
  const [events, ...others] = topicSpecs(place, await driver.brokers(), found);
  const check = async (spec: TopicSpec): Promise<void> => {
    const description = await driver.describe(spec.topic);
    if (description === null) return await onMissing(spec);
    const problem = checkTopic(spec, description);
    if (problem !== null) onWrong(problem);
  };
  // What is wrong with the events' topic is often what is wrong with the others.
  await check(events!);
  await Promise.all(others.map(check));
}

export function noLogError(place: KafkaPlace): DreamfoldError {
  const url = urlOf(place);
  return new DreamfoldError('not_found', `There is no log at ${url}`, {
    path: 'log',
    value: url,
    remedy: 'Correct the address, or begin a log there: whoever opens it to write, and does not say that it must exist, begins one.',
  });
}

/**
 * The offsets of each partition of the events' topic.
 * @throws DreamfoldError log_diverged: its beginning was deleted, so it can't be read whole any more; store_unavailable
 */
export async function rangesOf(driver: KafkaDriver, topic: string): Promise<readonly OffsetRange[]> {
  const ranges = await driver.offsets(topic);
  if (ranges === null) throw missingError(topic);
  ranges.forEach(({ low }, partition) => {
    if (low > 0) throw truncatedError(`${topic}/${partition}`, low);
  });
  return ranges;
}

/** The brokers say that there is no such topic: it was deleted, or they have just started. */
export function missingError(topic: string): DreamfoldError {
  return new DreamfoldError('store_unavailable', `The topic ${topic} is not there`, {
    path: topic,
    remedy: 'Open the log again when the brokers know it. If it was deleted, restore it from a copy, or from a replica.',
  });
}

function truncatedError(place: string, low: number): DreamfoldError {
  return new DreamfoldError('log_diverged', `The first ${low} records of ${place} were deleted: the log can't be read whole any more`, {
    path: place,
    value: low,
    remedy:
      'Set retention.ms and retention.bytes of the topic to -1. What a replica of this machine holds is read with --replica DIR; delete what is left of the four topics, and fill new ones from it with `dreamfold repair --from-replica DIR`.',
  });
}
