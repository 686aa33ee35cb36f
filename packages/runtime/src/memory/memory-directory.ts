import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';
import type { MemoryFile } from '@dreamfold/core';
import { readRegularFile } from '../regular-file.ts';

/** A playbook's file holds its insights twice: as lines and as data. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 2000;

/**
 * Writes files into a directory that is new or empty; it appears when it is complete.
 * @throws DreamfoldError path_conflict (something is there), store_full, invalid_path
 */
export async function writeMemoryFiles(directory: string, files: readonly MemoryFile[]): Promise<void> {
  const target = resolve(directory);
  const part = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    await needNothingThere(target, directory);
    await mkdir(dirname(target), { recursive: true });
    await mkdir(part);
    for (const { path, text } of files) {
      const file = join(part, ...path.split('/'));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: 'wx' });
    }
    await rmdir(target).catch(ignoreMissing);
    await rename(part, target);
  } catch (cause) {
    if (isDreamfoldError(cause)) throw cause;
    await rm(part, { recursive: true, force: true }).catch(() => {});
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new DreamfoldError(full ? 'store_full' : 'invalid_path', `${directory} can't be written: ${(cause as Error).message}`, {
      path: directory,
      remedy: full ? 'Free some disk space and try again.' : 'Name a directory that you may write to.',
      cause,
    });
  }
}

async function needNothingThere(target: string, directory: string): Promise<void> {
  const there = await stat(target).catch(ignoreMissing);
  if (there === undefined || (there.isDirectory() && (await readdir(target)).length === 0)) return;
  throw new DreamfoldError('path_conflict', `${directory} is there already, and is not an empty directory`, {
    path: directory,
    remedy: 'Name a new directory, or remove what is there first.',
  });
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/**
 * Reads all files of a directory, in the order of their paths; hidden ones (`.git`, `.DS_Store`) are passed over.
 * Links are refused: what they lead to was not meant to become memory.
 * @throws DreamfoldError not_found, invalid_path, invalid_text, payload_too_large, patch_too_large (too many files)
 */
export async function readMemoryFiles(directory: string): Promise<MemoryFile[]> {
  const root = resolve(directory);
  const files: MemoryFile[] = [];
  try {
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const names = relative(root, path).split(sep);
      if (names.some((name) => name.startsWith('.')) || entry.isDirectory()) continue;
      if (!entry.isFile()) throw refused('invalid_path', path, 'is a link or no plain file', 'Remove it, or put a copy of the file there.');
      if (files.length === MAX_FILES) {
        throw refused(
          'patch_too_large',
          directory,
          `holds more than ${MAX_FILES} files`,
          'A store holds no more; name the right directory.',
        );
      }
      // Some file systems hand back decomposed letters.
      files.push({ path: names.join('/').normalize('NFC'), text: await readRegularFile(path, { maxBytes: MAX_FILE_BYTES }) });
    }
  } catch (cause) {
    if (isDreamfoldError(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw refused('not_found', directory, 'is not there', 'Name a directory that `dreamfold memory export` wrote.');
    throw refused('invalid_path', directory, `can't be read: ${message}`, 'Name a directory that you may read.');
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

type Code = 'invalid_path' | 'not_found' | 'patch_too_large';

// oxlint-disable-next-line max-params -- a sentence in its four parts
function refused(code: Code, path: string, why: string, remedy: string): DreamfoldError {
  return new DreamfoldError(code, `${path} ${why}`, { path, remedy });
}
