// The command line on a terminal that is none: `node terminal-process.ts ARGUMENTS`. What comes in on stdin is typed, what is drawn goes out.
import { Io } from '../io.ts';
import { main } from '../main.ts';

const { stdin, stdout, stderr } = process;
Object.assign(stdin, { isTTY: true, setRawMode: () => stdin });
for (const stream of [stdout, stderr]) Object.assign(stream, { isTTY: true, columns: 100, rows: 40 });
process.exit(await main(process.argv.slice(2), new Io({ stdin, stdout, stderr })));
