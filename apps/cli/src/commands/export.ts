import { createWriteStream } from 'node:fs';
import { lstat, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { DreamfoldError, isDreamfoldError, type ExportAbsence } from 'dreamfold';
import { counted } from '../render/counted.ts';
import { withData } from '../data-directory.ts';
import { defineCommand } from '../define-command.ts';
import { findSession } from '../session/find-session.ts';
import type { Io } from '../io.ts';

interface ExportFlags {
  out?: string;
  force?: true;
  allowMissing?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'export [session...]',
    summary: 'write the log as lines of JSON, its events byte for byte',
    description:
      'Writes sessions (with the memory stores that they were given), or everything when none is named, to --out or stdout. `dreamfold import --format dreamfold` into an empty data directory gives the same heads. Refuses a log of which payloads or blobs are missing, unless they were erased.',
    examples: ['export --out all.jsonl', 'export sesn_4k2 --out one.jsonl', 'export | gzip > all.jsonl.gz'],
  })
    .option('--out <file>', 'the file to write; it appears when it is complete')
    .option('--force', 'write over a file that is there')
    .option('--allow-missing', 'write what is left, although payloads or blobs are missing and nothing on the log says why')
    .action((prefixes: string[], flags: ExportFlags, command: Command) => exportTo({ prefixes, flags, command }, io));
}

async function exportTo({ prefixes, flags, command }: { prefixes: string[]; flags: ExportFlags; command: Command }, io: Io): Promise<void> {
  const { out } = flags;
  if (io.json && out === undefined) {
    throw new DreamfoldError('invalid_argument', 'An export is many lines of JSON, and --json promises one document on stdout', {
      path: '--json',
      remedy: 'Name a file with --out, or leave --json out.',
    });
  }
  if (out !== undefined) await needPlace(out, flags.force === true);
  await withData(command, { io, readOnly: true }, async (dreamfold) => {
    const sessions: string[] = [];
    for (const prefix of prefixes) sessions.push(await findSession(dreamfold, prefix));
    const bar = io.progress('exporting');
    const counts = { events: 0 };
    const missing: ExportAbsence[] = [];
    const lines = dreamfold.export({
      ...(sessions.length === 0 ? {} : { sessions: [...new Set(sessions)] }),
      ...(flags.allowMissing === true ? { allowMissing: true, onMissing: (absent) => missing.push(absent) } : {}),
      onProgress: (done, total) => {
        counts.events = done;
        bar.update(done, total);
      },
    });
    try {
      if (out === undefined) for await (const line of lines) await io.write(line);
      else await writeWhole(out, lines);
    } finally {
      bar.stop();
    }
    if (missing.length > 0) {
      io.note(`${counted(missing.length, 'payload or blob', 'payloads or blobs')} missing, and nothing on the log says why:`);
      for (const { stream, seq, blob } of missing) io.note(`  ${stream}#${seq}${blob === undefined ? '' : `: blob ${blob}`}`);
    }
    if (out === undefined) return;
    io.document({ file: out, events: counts.events, bytes: (await stat(out)).size, ...(missing.length === 0 ? {} : { missing }) });
    io.line(`${counted(counts.events, 'event')} written to ${out}.`);
  });
}

/** Whatever stands there is kept; with `force` a file may be replaced, but no pipe, device or directory. */
async function needPlace(out: string, force: boolean): Promise<void> {
  // The link itself: one that leads nowhere would be replaced as well.
  const there = await lstat(out).catch(() => null);
  if (there === null || (force && there.isFile())) return;
  throw new DreamfoldError('path_conflict', `${out} is there already${there.isFile() ? '' : ', and is no file'}`, {
    path: '--out',
    value: out,
    remedy: there.isFile() ? 'Name another file, or write over it with --force.' : 'Name another file.',
  });
}

/** Under another name until it is complete, so that nobody takes half an export for a whole one. */
async function writeWhole(out: string, lines: AsyncIterable<string>): Promise<void> {
  const part = `${out}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(lines), createWriteStream(part, { flags: 'wx' }));
    await rename(part, out);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    if (isDreamfoldError(cause)) throw cause;
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new DreamfoldError(full ? 'store_full' : 'invalid_path', `${out} can't be written: ${(cause as Error).message}`, {
      path: '--out',
      value: out,
      remedy: full ? 'Free some disk space and try again.' : 'Name a file in a directory that you may write to.',
      cause,
    });
  }
}
