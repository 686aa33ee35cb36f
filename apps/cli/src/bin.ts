#!/usr/bin/env node
// Nothing is imported before the check: an older Node would die of a missing built-in module with an error that says nothing.
const MINIMUM = 24;

if (Number(process.versions.node.split('.')[0]) < MINIMUM) {
  process.stderr.write(
    `dreamfold needs Node ${MINIMUM} or newer; this is Node ${process.versions.node}. Install it from https://nodejs.org.\n`,
  );
  process.exitCode = 2;
} else {
  let finished = false;
  // A reader that has seen enough, such as `head`, is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      finished = true;
      process.exit();
    });
  }
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const [{ main }, { Io }, { reportUncaught }] = await Promise.all([import('./main.ts'), import('./io.ts'), import('./uncaught.ts')]);
  const io = new Io();
  process.on('uncaughtException', (error) => {
    finished = true;
    process.exit(reportUncaught(error, io));
  });
  // A team file that calls process.exit, or waits for nothing that can come, must not look like success.
  process.on('exit', () => {
    if (finished) return;
    process.stderr.write('dreamfold ended before it was done: the program that it ran exited, or waits for something that never comes.\n');
    process.exitCode = 1;
  });
  process.exitCode = await main(process.argv.slice(2), io);
  finished = true;
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
  // A timer or a connection that a team's file or a tool left behind would keep the process for ever.
  process.exit();
}
