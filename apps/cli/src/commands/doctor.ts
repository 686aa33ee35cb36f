import type { Command } from 'commander';
import { examine, type Finding } from 'dreamfold';
import { dataDirectory, logUrl } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { EXIT } from '../exit-code.ts';
import type { Io } from '../io.ts';
import { oneLine, printable } from '../render/printable.ts';

const MAX_TEXT_CHARS = 500;
const COLOUR = { well: 'green', note: 'yellow', wrong: 'red' } as const;

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'doctor',
    summary: 'look at the log and what is around it: brokers, settings, lag, disk',
    description:
      'Says on one page what an operator would look at. Of a log on Kafka: whether brokers answer and know the requests of a log, what this user may do there, by how much the clocks differ, whether each topic is there with the settings that it has to have, how far the replicas of this machine are behind, records that were set aside, blobs of which a part is missing, and former replicas. Of a data directory: who runs sessions there, its head and size. And the room on the disk. It makes nothing, and opens nothing to write, so it also tells when nothing else opens. Ends with 3 when something is wrong with the log. It checks no hashes: `verify` does.',
    examples: ['doctor', 'doctor --log kafka://localhost:9092/acme --json'],
  }).action(async (_flags: object, command: Command) => {
    const log = logUrl(command);
    const findings = await examine({ directory: dataDirectory(command), ...(log === null ? {} : { log }) });
    const ok = findings.every(({ state }) => state !== 'wrong');
    if (!ok) io.exitCode = EXIT.store;
    io.document({ ok, findings });
    for (const finding of findings) tell(finding, io);
    io.line(ok ? io.paint('green', 'Nothing is wrong with the log.') : io.paint('red', 'Something is wrong with the log.'));
  });
}

function tell({ about, state, text, remedy }: Finding, io: Io): void {
  io.line(`${io.paint(COLOUR[state], state.padEnd(5))} ${oneLine(about, 200)}: ${oneLine(text, MAX_TEXT_CHARS)}`);
  if (remedy !== undefined) io.line(printable(io.withTyped(remedy)), '      ');
}
