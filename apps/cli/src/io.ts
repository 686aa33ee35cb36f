import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';
import { EXIT, type ExitCode } from './exit-code.ts';
import { isoTime } from './iso-time.ts';
import { printable, printableJson } from './printable.ts';
import { ProgressBar } from './progress-bar.ts';

export interface IoStreams {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number;
  align?: 'left' | 'right';
}

type Format = Parameters<typeof styleText>[0];

/** Stands around the colour codes that `paint` made until they are written. Text of others cannot hold it: nobody can guess it. */
const OURS = randomUUID();

function painted(format: Format, text: string, stream: NodeJS.WriteStream): string {
  const [before = '', after = ''] = styleText(format, OURS, { stream }).split(OURS);
  return before === '' ? text : `${OURS}${before}${OURS}${text}${OURS}${after}${OURS}`;
}

/** A line as it may be written: whatever it holds, only the colours of `paint` reach the terminal as codes. */
function shown(line: string): string {
  return line
    .split(OURS)
    .map((part, i) => (i % 2 === 0 ? printable(part) : part))
    .join('');
}

/** Takes back the last two lines of a terminal. */
const LAST_TWO_LINES = '\u001b[2A\u001b[J';

/**
 * All that a command says and asks. With `--json` stdout is exactly one document (`document`), and what is meant for people
 * (`line`, `table`) is silent; `note`, progress and questions are on stderr in any case.
 */
export class Io {
  /** Set by `--json`. */
  json = false;
  /** What the process ends with. A command sets it when it ends without an error and yet not with 0. */
  exitCode: ExitCode = EXIT.ok;
  readonly #streams: IoStreams;

  constructor(streams: IoStreams = process) {
    this.#streams = streams;
  }

  /** True when a person can be asked. */
  get interactive(): boolean {
    return !this.json && this.#streams.stdin.isTTY && this.#streams.stderr.isTTY;
  }

  /** One line for people, on stdout. */
  line(text = ''): void {
    if (!this.json) this.#streams.stdout.write(`${shown(text)}\n`);
  }

  /** One line beside the result, on stderr. */
  note(text: string): void {
    this.#streams.stderr.write(`${shown(text)}\n`);
  }

  /** One line of what goes on meanwhile, with its time, on stderr. */
  news(text: string): void {
    this.note(`${isoTime(Date.now())} ${text}`);
  }

  /** The result for programs. Call it once; it is silent without `--json`. */
  document(value: unknown): void {
    if (this.json) this.#streams.stdout.write(`${printableJson(JSON.stringify(value, null, 2))}\n`);
  }

  /** Bytes of the result itself, such as an export. Resolves when the reader has taken them. */
  async write(text: string): Promise<void> {
    const { stdout } = this.#streams;
    if (!stdout.write(text)) await new Promise<void>((resolve) => stdout.once('drain', resolve));
  }

  /** Colour on stdout: only on a terminal, and not with NO_COLOR. For `line` alone. */
  paint(format: Format, text: string): string {
    return painted(format, text, this.#streams.stdout);
  }

  /** Colour on stderr. For `note` alone. */
  paintNote(format: Format, text: string): string {
    return painted(format, text, this.#streams.stderr);
  }

  /** Rows for people, under their titles. On a terminal, lines are cut at its width. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    if (this.json) return;
    const cells = rows.map((row) => columns.map((column) => printable(String(column.value(row))).replaceAll('\n', ' ')));
    const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
    const width = this.#streams.stdout.isTTY ? this.#streams.stdout.columns : Number.POSITIVE_INFINITY;
    const layOut = (row: readonly string[]): string =>
      row
        .map((cell, i) => (columns[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd()
        .slice(0, width);
    this.line(this.paint('bold', layOut(columns.map(({ title }) => title))));
    for (const row of cells) this.line(layOut(row));
  }

  /** A bar on stderr, which appears once the work has taken a second. */
  progress(label: string): ProgressBar {
    return new ProgressBar(label, this.#streams.stderr);
  }

  /**
   * Lets a person choose one; Enter alone takes the first.
   * @param options.signal takes the question back
   * @returns null when there is nobody to ask, the person would not say, or the question was taken back
   */
  async choose<T extends string>(
    question: string,
    options: readonly { value: T; label: string }[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<T | null> {
    const isTakenBack = (): boolean => signal?.aborted ?? false;
    if (!this.interactive || isTakenBack()) return null;
    const { select, isCancel } = await import('@clack/prompts');
    const { stdin, stderr } = this.#streams;
    const asked = { message: printable(question), options: [...options], input: stdin, output: stderr };
    const answer = await select<string>(signal === undefined ? asked : { ...asked, signal });
    if (!isCancel(answer)) return answer as T;
    // What was highlighted is drawn as if it had been the answer.
    if (!isTakenBack()) stderr.write(LAST_TWO_LINES);
    return null;
  }

  /** Asks for a line that is not blank. @returns null when there is nobody to ask, or the person would not say */
  async askText(question: string): Promise<string | null> {
    if (!this.interactive) return null;
    const { text, isCancel } = await import('@clack/prompts');
    const { stdin, stderr } = this.#streams;
    const validate = (line: string | undefined): string | undefined => (line?.trim() ? undefined : 'Write a word or two.');
    const answer = await text({ message: printable(question), validate, input: stdin, output: stderr });
    return isCancel(answer) ? null : answer;
  }
}
