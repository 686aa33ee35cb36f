import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Copies links as they are: those of a package to its neighbours then lead to the neighbours in the copy. */
function copyLinks(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/**
 * Copies the sources as they stand, with what is not committed, and links the installed packages.
 * @param root the repository
 * @param copy an empty folder
 */
export function copyRepository(root: string, copy: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const path of listed.split('\0')) {
    if (path === '' || !existsSync(join(root, path))) continue;
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path), { verbatimSymlinks: true });
  }
  for (const modules of globSync(['*/node_modules', '*/*/node_modules'], { cwd: root, exclude: ['node_modules/**'] })) {
    copyLinks(join(root, modules), join(copy, modules));
  }
  mkdirSync(join(copy, 'node_modules'));
  symlinkSync(join(root, 'node_modules/.pnpm'), join(copy, 'node_modules/.pnpm'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) copyLinks(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
}
