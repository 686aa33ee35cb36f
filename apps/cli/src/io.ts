import { randomUUID } from 'node:crypto';
import { stripVTControlCharacters, styleText } from 'node:util';
import { EXIT, type ExitCode } from './exit-code.ts';
import { typedHere } from './how-called.ts';
import { isoTime } from '@dreamfold/views/iso-time';
import { printable, printableJson } from './render/printable.ts';
import { ProgressBar } from './render/progress-bar.ts';
import { layOutTable, type Column } from './render/table-layout.ts';
import { brokenAtWords, textWidth } from './render/text-width.ts';

export interface IoStreams {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Text in fewer columns than these is harder to read than text that the terminal breaks. */
const MIN_TEXT_COLUMNS = 20;

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

/** Columns of a terminal; what is no terminal has no width, so that nothing is cut or broken in a file. */
function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY && stream.columns > 0 ? stream.columns : Number.POSITIVE_INFINITY;
}

/** Lines broken at words, each going on where it began. A word that is too long for a line is left to the terminal. */
function wrapped(text: string, lead: string, width: number): string {
  if (width === Number.POSITIVE_INFINITY && !text.includes('\n')) return `${lead}${text}`;
  const before = textWidth(lead);
  const lines = text.split('\n').map((line) => {
    const indent = /^ */.exec(stripVTControlCharacters(line))![0];
    const room = width - before - indent.length;
    if (!(textWidth(line) > width - before) || room < MIN_TEXT_COLUMNS) return line;
    return brokenAtWords(line.trimStart(), room)
      .map((part) => `${indent}${part}`)
      .join(`\n${' '.repeat(before)}`);
  });
  return `${lead}${lines.join(`\n${' '.repeat(before)}`)}`;
}

/**
 * All that a command says and asks. With `--json` stdout is exactly one document (`document`), and what is meant for people
 * (`line`, `table`) is silent; `note`, progress and questions are on stderr in any case.
 */
export class Io {
  /** Set by `--json`. */
  json = false;
  /** What the process ends with. A command sets it when it ends without an error and yet not with 0. */
  exitCode: ExitCode = EXIT.ok;
  /** What a command to copy needs to reach the same data. */
  dataFlags = '';
  readonly #streams: IoStreams;

  constructor(streams: IoStreams = process) {
    this.#streams = streams;
  }

  /** True when a person can be asked. */
  get interactive(): boolean {
    return !this.json && this.#streams.stdin.isTTY && this.#streams.stderr.isTTY;
  }

  /**
   * Text for people, on stdout. On a terminal it is broken at words, and goes on under its beginning.
   * @param lead what stands before it; the text goes on to the right of it
   */
  line(text = '', lead = ''): void {
    if (!this.json) this.#streams.stdout.write(`${wrapped(shown(text), shown(lead), widthOf(this.#streams.stdout))}\n`);
  }

  /** One line for people that is written as it is, however long: a command to copy. */
  verbatim(text: string): void {
    if (!this.json) this.#streams.stdout.write(`${shown(text)}\n`);
  }

  /** The whole line that runs a command: as this program was called, and on the same data. */
  typed(command: string): string {
    return `${typedHere()} ${command}${this.dataFlags}`;
  }

  /** Words of ours, in which each `dreamfold …` between backticks becomes a line to type. */
  withTyped(text: string): string {
    return text.replaceAll(/`dreamfold ([^`]+)`/g, (_, command: string) =>
      /(?:^| )--help$|^init /.test(command) ? `\`${typedHere()} ${command}\`` : `\`${this.typed(command)}\``,
    );
  }

  /** Text beside the result, on stderr. */
  note(text: string): void {
    this.#streams.stderr.write(`${wrapped(shown(text), '', widthOf(this.#streams.stderr))}\n`);
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

  /** Rows for people, under their titles. On a terminal they fit its width, and what is left out for that is named below them. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    if (this.json) return;
    const cells = rows.map((row) => columns.map((column) => printable(String(column.value(row))).replaceAll('\n', ' ')));
    const table = layOutTable(cells, columns, widthOf(this.#streams.stdout));
    this.verbatim(this.paint('bold', table.head));
    for (const row of table.rows) this.verbatim(row);
    if (table.hidden.length > 0) this.line(this.paint('dim', `Left out at this width: ${table.hidden.join(', ')}.`));
  }

  /**
   * A bar on stderr, which appears once the work has taken a second.
   * @param options.isNews its lines have their time, as those of `news`
   */
  progress(label: string, { isNews = false } = {}): ProgressBar {
    return new ProgressBar(label, this.#streams.stderr, isNews ? () => `${isoTime(Date.now())} ` : undefined);
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
