import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { Io } from '../io.ts';
import { main } from '../main.ts';

/** What a command says and asks, on streams of a test. */
export function ioOf(streams: Partial<Record<'stdin' | 'stdout' | 'stderr', PassThrough>>): Io {
  const { stdin = new PassThrough(), stdout = new PassThrough(), stderr = new PassThrough() } = streams;
  return new Io({ stdin, stdout, stderr } as unknown as ConstructorParameters<typeof Io>[0]);
}

/** A terminal at which somebody types keys, each once what stands before it is on the screen. */
export async function onTerminal(
  typed: readonly (readonly [seen: RegExp, keys: string])[],
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const terminal = (): PassThrough => Object.assign(new PassThrough(), { isTTY: true, columns: 200, rows: 40, setRawMode: () => {} });
  const [stdin, stdout, stderr] = [terminal(), terminal(), terminal()];
  const left = [...typed];
  let output = '';
  let screen = '';
  for (const stream of [stdout, stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      screen += chunk.toString();
      if (left.length === 0 || !left[0]![0].test(stripVTControlCharacters(screen))) return;
      const [[, keys]] = left.splice(0, 1) as [[RegExp, string]];
      screen = '';
      // The prompt listens once it has been drawn.
      setImmediate(() => stdin.write(keys));
    });
  }
  return { code: await main(args, ioOf({ stdin, stdout, stderr })), output };
}
