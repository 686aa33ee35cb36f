import { afterEach, describe } from 'vitest';
import type { Log } from '../port.ts';
import { describeAbsence } from './absence-cases.ts';
import { describeAppend } from './append-cases.ts';
import { describeKeeping } from './keeping-cases.ts';
import type { LogUnderTest, OpenLog } from './log-under-test.ts';
import { describeReading } from './read-cases.ts';

/**
 * What every log has to do, as a vitest suite. A case that a backend cannot pass by its nature is skipped by the
 * backend's capabilities, and says why.
 */
export function describeLog(name: string, open: OpenLog): void {
  const logs: Log[] = [];
  let places = 0;
  const openAt = async (place: string): Promise<Log> => {
    const log = await open(place);
    logs.push(log);
    return log;
  };
  const under: LogUnderTest = {
    fresh: () => openAt(`place${(places += 1)}`),
    again: () => openAt(`place${places}`),
  };

  describe(`log: ${name}`, () => {
    afterEach(async () => {
      for (const log of logs.splice(0)) await log.close();
    });
    describeAppend(under);
    describeReading(under);
    describeKeeping(under);
    describeAbsence(under);
  });
}
