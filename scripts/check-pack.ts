// Proves that what would be published works where people install it: builds and packs every package, lints the tarballs,
// installs them with npm in an empty folder outside the repository, and there type-checks and runs the README's example.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  packageManager: string;
  devDependencies: Record<string, string>;
}

const ROOT = dirname(import.meta.dirname);
const LOCAL_BIN = join(ROOT, 'node_modules', '.bin');

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;
}

/**
 * Runs a program with this Node first on the path.
 * @returns what it wrote to stdout
 * @throws Error with all it wrote when it fails or takes more than five minutes
 */
function run(cwd: string, program: string, args: readonly string[]): string {
  const path = [dirname(process.execPath), LOCAL_BIN, process.env['PATH'] ?? ''].join(delimiter);
  const env = { ...process.env, PATH: path, CI: 'true', NO_COLOR: '1', TURBO_TELEMETRY_DISABLED: '1' };
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status === 0) return result.stdout;
  const why = result.error?.message ?? `exit code ${result.status ?? result.signal}`;
  throw new Error(`${program} ${args.join(' ')}\nin ${cwd}: ${why}\n${result.stdout ?? ''}${result.stderr ?? ''}`);
}

/** The first TypeScript example of the README: a block that begins with the line `// team.ts`. */
function readmeExample(): string {
  const example = /^```ts\n(\/\/ team\.ts\n[^]*?)^```$/m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  if (example === null)
    throw new Error('README.md has no ```ts block that begins with "// team.ts". It is the example that newcomers copy.');
  return example[1]!;
}

function buildAndPack(folders: readonly string[], destination: string): string[] {
  const only = folders.map((folder) => `--filter=./${folder}`);
  // turbo looks for pnpm on the path: npx puts it there, however this script was started.
  const pnpm = ['-y', manifest('.').packageManager];
  run(ROOT, 'npx', [...pnpm, 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only', ...only]);
  run(ROOT, 'npx', [...pnpm, ...only, 'pack', '--pack-destination', destination]);
  const tarballs = readdirSync(destination).map((file) => join(destination, file));
  if (tarballs.length !== folders.length)
    throw new Error(`${folders.length} packages made ${tarballs.length} tarballs: ${tarballs.join(', ')}`);
  return tarballs;
}

function installInEmptyFolder(folder: string, tarballs: readonly string[]): void {
  const tools = ['typescript', '@types/node'].map((name) => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as Manifest;
    return `${name}@${version}`;
  });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  run(folder, 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs, ...tools]);
}

function typeCheckExample(folder: string, example: string): void {
  const compilerOptions = { strict: true, noEmit: true, target: 'es2024', module: 'nodenext', types: ['node'] };
  writeFileSync(join(folder, 'team.ts'), example);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['team.ts'] }));
  run(folder, join(folder, 'node_modules', '.bin', 'tsc'), []);
}

function runExample(folder: string): void {
  if (run(folder, process.execPath, ['team.ts']).trim() === '') throw new Error('The example of README.md prints nothing.');
}

function runCommand(folder: string): void {
  const wanted = manifest('apps/cli').version;
  const printed = run(folder, join(folder, 'node_modules', '.bin', 'dreamfold'), ['--version']).trim();
  if (printed !== wanted) throw new Error(`dreamfold --version printed ${JSON.stringify(printed)}, not ${wanted}.`);
}

const failed: string[] = [];

/** @returns what the step gives, or undefined when it failed */
function step<T>(name: string, action: () => T): T | undefined {
  try {
    const result = action();
    console.log(`ok      ${name}`);
    return result;
  } catch (error) {
    failed.push(name);
    console.log(`failed  ${name}\n\n${(error as Error).message}\n`);
    return undefined;
  }
}

function check(work: string): void {
  const tarballFolder = join(work, 'tarballs');
  const consumer = join(work, 'consumer');
  for (const folder of [tarballFolder, consumer]) mkdirSync(folder);
  const folders = globSync('{packages,apps}/*/', { cwd: ROOT }).filter((folder) => manifest(folder).private !== true);

  const tarballs = step(`build and pack ${folders.length} packages`, () => buildAndPack(folders, tarballFolder));
  if (tarballs === undefined) return;
  for (const tarball of tarballs) {
    const name = tarball.slice(tarballFolder.length + 1);
    step(`publint ${name}`, () => run(work, 'publint', ['run', tarball, '--strict']));
    step(`types resolve in ${name}`, () => run(work, 'attw', [tarball, '--profile', 'esm-only']));
  }
  const installed = step('npm installs the tarballs in an empty folder', () => {
    installInEmptyFolder(consumer, tarballs);
    return true;
  });
  if (installed !== true) return;
  step('dreamfold --version', () => runCommand(consumer));
  const example = step('README.md has an example', readmeExample);
  if (example === undefined) return;
  step('the example type-checks', () => typeCheckExample(consumer, example));
  step('the example runs', () => runExample(consumer));
}

const work = mkdtempSync(join(tmpdir(), 'dreamfold-pack-'));
try {
  check(work);
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (failed.length > 0) {
  console.error(`check:pack: ${failed.length} failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
