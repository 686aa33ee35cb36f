import { spawn } from 'node:child_process';

/**
 * Runs a program to its end, without input.
 * @throws Error with all it wrote when it fails
 */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const status = await new Promise((resolve, reject) =>
    child.once('error', reject).once('close', (code, signal) => resolve(code ?? signal)),
  );
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}:\n${output}`);
}
