import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DreamfoldError } from 'dreamfold';
import { readText } from './read-text.ts';

const CUT = '# ------------------------ >8 ------------------------';

/**
 * Lets a person edit a text in their own editor: $VISUAL, $EDITOR or vi.
 * @param options.about is shown below the text, beneath a line that cuts it off
 * @param options.name of the file, by which editors tell what is in it
 * @returns what the file says when the editor has ended
 * @throws DreamfoldError invalid_argument when the editor fails, and those of readText
 */
export async function editText(
  text: string,
  { about, maxBytes, name }: { about: readonly string[]; maxBytes: number; name: string },
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dreamfold-edit-'));
  try {
    const file = join(directory, name);
    const help = about.map((line) => `# ${line}\n`).join('');
    // Readable by its owner alone: it may hold what customers said.
    await writeFile(file, `${text}${text.endsWith('\n') ? '' : '\n'}${CUT}\n${help}`, { mode: 0o600 });
    await runEditor(file);
    const edited = (await readText(file, { maxBytes: maxBytes + help.length + CUT.length })).split(`${CUT}\n`)[0]!;
    return text.endsWith('\n') ? edited : edited.replace(/\n$/, '');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runEditor(file: string): Promise<void> {
  const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi';
  // The shell, since people put options there: EDITOR="code --wait".
  const child = spawn(`${editor} "${file}"`, { shell: true, stdio: 'inherit' });
  const ended = await new Promise<string | number | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  if (ended === 0) return;
  throw new DreamfoldError('invalid_argument', `The editor ${editor} ended with ${ended}, and nothing was changed`, {
    path: 'EDITOR',
    value: editor,
    remedy:
      'Name an editor in VISUAL or EDITOR, or give the text on the command line: --text FILE for a proposal, --input JSON for a call.',
  });
}
