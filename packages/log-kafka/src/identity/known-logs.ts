import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asSystemError } from '@dreamfold/log/backend';
import { z } from 'zod';
import type { KafkaPlace } from '../kafka-url.ts';

/** By which log was last opened where. */
const FILE = 'addresses.json';
const Addresses = z.record(z.string(), z.string());

/** A log's id as part of a path. Whoever may write to a topic can write any text as the id of its log. */
const LOG_ID = /^log_[\w-]{1,64}$/;

export function isLogId(text: string): boolean {
  return LOG_ID.test(text);
}

/**
 * The logs that this machine has replicas of under one prefix, each in a folder that is named by the log's id. There are several
 * where clusters share a data directory, such as that for staging and that for production; or where an operator has accepted a new log.
 */
export class KnownLogs {
  readonly #root: string;
  readonly #address: string;

  /** @param root holds a folder for each log */
  constructor(root: string, { brokers }: Pick<KafkaPlace, 'brokers'>) {
    this.#root = root;
    this.#address = brokers.toSorted().join(',');
  }

  get ids(): readonly string[] {
    return existsSync(this.#root) ? readdirSync(this.#root).filter(isLogId).sort() : [];
  }

  /** The log that was last opened at this address, null when none was or its folder is gone. */
  get here(): string | null {
    const logId = this.#read()[this.#address] ?? null;
    return logId !== null && isLogId(logId) && existsSync(this.folderOf(logId)) ? logId : null;
  }

  folderOf(logId: string): string {
    return join(this.#root, logId);
  }

  /** Keeps that a log was opened at this address. */
  remember(logId: string): void {
    const addresses = this.#read();
    if (addresses[this.#address] === logId) return;
    const path = join(this.#root, FILE);
    try {
      // Two processes may write at the same time.
      writeFileSync(`${path}.${process.pid}.new`, `${JSON.stringify({ ...addresses, [this.#address]: logId }, null, 2)}\n`);
      renameSync(`${path}.${process.pid}.new`, path);
    } catch (cause) {
      throw asSystemError(cause, { path });
    }
  }

  /** What can't be read is as good as not there: the log is then found by what stands in its topic. */
  #read(): Record<string, string> {
    try {
      return Addresses.parse(JSON.parse(readFileSync(join(this.#root, FILE), 'utf8')));
    } catch {
      return {};
    }
  }
}
