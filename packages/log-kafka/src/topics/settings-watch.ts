import type { DreamfoldError } from '@dreamfold/events';
import type { KafkaDriver } from '../driver/driver.ts';
import type { KafkaPlace } from '../kafka-url.ts';
import type { LogNotice } from '../kafka-node.ts';
import { checkTopics } from './topics.ts';

/** A retention that was set by mistake deletes the first records within minutes. */
const CHECK_MS = 180_000;

export interface SettingsWatchParts {
  driver: KafkaDriver;
  place: KafkaPlace;
  onNotice: (notice: LogNotice) => void;
}

/** Looks at the settings of the topics while a log is open, and says once what is wrong with them, and once that they are right again. */
export class SettingsWatch {
  readonly #p: SettingsWatchParts;
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SettingsWatchParts) {
    this.#p = parts;
  }

  start(): void {
    // Brokers that do not answer are noticed elsewhere.
    this.#timer = setInterval(() => void this.check().catch(() => {}), CHECK_MS).unref();
  }

  /** @throws DreamfoldError store_unavailable, permission_denied */
  async check(): Promise<void> {
    const { driver, place, onNotice } = this.#p;
    const found: DreamfoldError[] = [];
    // That a topic is gone is noticed elsewhere.
    await checkTopics(driver, { place, onMissing: async () => {}, onWrong: (problem) => found.push(problem) });
    const wasWrong = this.#told.size > 0;
    for (const problem of found) this.tell(problem);
    const messages = new Set(found.map(({ message }) => message));
    for (const message of this.#told) if (!messages.has(message)) this.#told.delete(message);
    if (wasWrong && this.#told.size === 0) onNotice({ kind: 'settings', message: 'The topics have the settings again that a log needs.' });
  }

  /** Says it unless it was said, and was true ever since. */
  tell({ message, remedy }: DreamfoldError): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#p.onNotice({ kind: 'settings', message: `${message}. ${remedy}` });
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
