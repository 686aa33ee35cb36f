import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ColumnName, ColumnReply, ColumnRequest } from './column.ts';

/** The process of a column, seen from the bench. One request at a time. */
export class ColumnClient {
  readonly name: ColumnName;
  readonly #child: ChildProcess;
  readonly #ended: Promise<ColumnReply>;

  constructor(name: ColumnName, directory: string) {
    this.name = name;
    this.#child = fork(fileURLToPath(new URL('./column-process.ts', import.meta.url)), [name, directory], { execArgv: ['--expose-gc'] });
    this.#ended = once(this.#child, 'exit').then(([code]) => ({ error: `its process ended with ${String(code)}` }));
  }

  /** @throws Error when the column failed, did other work than the workload's, or died */
  async ask(request: ColumnRequest): Promise<number> {
    const replied = once(this.#child, 'message').then(([message]) => message as ColumnReply);
    this.#child.send(request);
    const answer = await Promise.race([replied, this.#ended]);
    if ('value' in answer) return answer.value;
    throw new Error(`The column ${this.name} failed: ${answer.error}`);
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
