import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  exports: unknown;
  publishConfig: { exports: unknown };
  dependencies?: Record<string, string>;
}

const BUNDLER = fileURLToPath(new URL('../../../../scripts/bundle.ts', import.meta.url));

/**
 * Puts a package where npm would put it, with what it depends on: our own packages as they are published, built anew, others by a link.
 * @param from the package's folder
 * @param modules a folder `node_modules`
 */
export function install(name: string, { from, modules }: { from: string; modules: string }): void {
  const to = join(modules, name);
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  const folder = realpathSync(from);
  if (name !== 'dreamfold' && !name.startsWith('@dreamfold/')) {
    symlinkSync(folder, to);
    return;
  }
  bundle(folder);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  cpSync(join(folder, 'dist'), join(to, 'dist'), { recursive: true });
  writeFileSync(join(to, 'package.json'), JSON.stringify({ ...manifest, exports: manifest.publishConfig.exports }));
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    install(dependency, { from: join(folder, 'node_modules', dependency), modules });
  }
}

/** @throws Error with what the bundler says */
function bundle(folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, [BUNDLER], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${folder} can't be bundled:\n${stderr}`);
}
