import { existsSync, lstatSync, readdirSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checked, FilePath, optionsOf } from '@dreamfold/events';
import { mebibytes, wrongFinding, type Finding } from '@dreamfold/log';
import { z } from 'zod';

/** Below so much room on the disk an operator should look. */
const LITTLE_BYTES = 1024 ** 3;

export interface ExamineRequest {
  /** The data directory. */
  directory: string;
  /** `kafka://…`; left out: the log is in the data directory. */
  log?: string;
}

const Request = optionsOf<ExamineRequest>({ directory: FilePath, log: z.string().optional() });

/**
 * Looks at a log and what is around it, for an operator: the brokers and topics of one on Kafka and what this machine has of it, or a data
 * directory; and the room on the disk. Nothing is made and nothing is opened to write. It checks no hashes: that is `log.archive.verify`.
 * @returns what was looked at; the log can be used when none is `wrong`
 * @throws DreamfoldError config_invalid for an address that is none
 */
export async function examine(request: ExamineRequest): Promise<Finding[]> {
  const { directory, log } = checked(Request, request, { what: 'examine()' });
  const found = log === undefined ? await examineDirectory(directory) : await examineKafka(log, directory);
  return [...found, diskFinding(directory)];
}

async function examineKafka(url: string, directory: string): Promise<Finding[]> {
  const [{ examineKafkaLog }, { sqliteReplicas }] = await Promise.all([import('@dreamfold/log-kafka'), import('@dreamfold/log/sqlite')]);
  return examineKafkaLog({ url, directory: join(directory, 'kafka'), storage: sqliteReplicas, env: process.env });
}

async function examineDirectory(directory: string): Promise<Finding[]> {
  if (!existsSync(directory)) {
    const remedy = 'Name another data directory; the first command that writes makes one.';
    return [{ about: 'data directory', state: 'wrong', text: `${directory} is not there`, remedy }];
  }
  const { findProcessor, openSqliteLog } = await import('@dreamfold/log/sqlite');
  const holder = findProcessor(directory);
  const text = holder === null ? 'no process runs sessions here' : `process ${holder.pid ?? 'of another user'} runs sessions here`;
  const findings: Finding[] = [{ about: 'lock', state: 'well', text }];
  try {
    const log = await openSqliteLog({ directory, readOnly: true });
    try {
      const [events] = await log.cursor();
      const bytes = filesIn(directory);
      findings.push({ about: 'log', state: 'well', text: `${directory}: head at event ${events}, ${mebibytes(bytes)} in the directory` });
    } finally {
      await log.close();
    }
  } catch (error) {
    findings.push(wrongFinding('log', error));
  }
  return findings;
}

/** Of the disk that holds the directory, or will. */
function diskFinding(directory: string): Finding {
  let place = resolve(directory);
  while (!existsSync(place)) place = dirname(place);
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const text = `${mebibytes(free)} free on the disk of ${place}`;
  return free < LITTLE_BYTES
    ? { about: 'disk', state: 'note', text, remedy: 'Make room: appends are refused when there is none.' }
    : { about: 'disk', state: 'well', text };
}

function filesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + (lstatSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
