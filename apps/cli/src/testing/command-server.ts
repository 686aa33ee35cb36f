// Runs one command after the other in one process: a line of JSON in with its arguments, a line of JSON out with what came of it.
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { Io, type IoStreams } from '../io.ts';
import { main } from '../main.ts';

for await (const line of createInterface({ input: process.stdin })) {
  const said: string[] = [];
  const stream = (): PassThrough => new PassThrough().on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const streams = { stdin: new PassThrough(), stdout: stream(), stderr: stream() } as unknown as IoStreams;
  const code = await main(JSON.parse(line) as string[], new Io(streams)).catch((error: unknown) => String((error as Error).stack));
  process.stdout.write(`${JSON.stringify({ code, said: said.join('') })}\n`);
}
