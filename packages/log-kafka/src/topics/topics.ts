import { DreamfoldError } from '@dreamfold/events';
import type { KafkaDriver, OffsetRange, TopicSpec } from '../driver/driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import { checkTopic, topicSpecs } from './topics-spec.ts';

/**
 * Creates the topics of a log that are not there, and checks those that are.
 * @throws DreamfoldError config_invalid, which names the setting and the command that changes it; store_unavailable
 */
export async function ensureTopics(driver: KafkaDriver, place: KafkaPlace): Promise<void> {
  const found = await driver.describe(place.topics.events);
  // The events' topic first: what is wrong with it is often what is wrong with the others.
  const [events, ...others] = topicSpecs(place, await driver.brokers(), found);
  const ensure = async (spec: TopicSpec): Promise<void> => {
    const before = await driver.describe(spec.topic);
    if (before === null) await driver.createTopic(spec);
    const description = before ?? (await driver.describe(spec.topic));
    const problem = description === null ? null : checkTopic(spec, description);
    if (problem !== null) throw problem;
  };
  await ensure(events!);
  await Promise.all(others.map(ensure));
}

/**
 * Checks the topics of a log that has to be there.
 * @throws DreamfoldError not_found; config_invalid, as `ensureTopics` does; store_unavailable
 */
export async function checkTopics(driver: KafkaDriver, place: KafkaPlace): Promise<void> {
  const found = await driver.describe(place.topics.events);
  if (found === null) throw noLogError(place);
  const [events, ...others] = topicSpecs(place, await driver.brokers(), found);
  const check = async (spec: TopicSpec): Promise<void> => {
    const description = await driver.describe(spec.topic);
    const problem = description === null ? noLogError(place) : checkTopic(spec, description);
    if (problem !== null) throw problem;
  };
  await check(events!);
  await Promise.all(others.map(check));
}

export function noLogError({ brokers, prefix }: KafkaPlace): DreamfoldError {
  const url = `kafka://${brokers.join(',')}/${prefix}`;
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
    remedy: 'Open the log again: it is created then. If it should be there, look at what deleted it.',
  });
}

function truncatedError(place: string, low: number): DreamfoldError {
  return new DreamfoldError('log_diverged', `The first ${low} records of ${place} were deleted: the log can't be read whole any more`, {
    path: place,
    value: low,
    remedy:
      'Set retention.ms and retention.bytes of the topic to -1, and restore it from a copy of the brokers; or import the newest export into another log.',
  });
}
