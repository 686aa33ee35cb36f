// Proves that what would be published works where people install it: builds and packs every package, lints the tarballs,
// installs them with npm in an empty folder outside the repository, and there types what the READMEs tell people to type.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { programOf } from '../docs/page-blocks.ts';

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  packageManager: string;
  devDependencies: Record<string, string>;
  description?: string;
  keywords?: readonly string[];
  homepage?: string;
  bugs?: string;
  license?: string;
  repository?: { type: string; url: string; directory?: string };
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
  // What pnpm tells its scripts of itself is not there for somebody who types this.
  const own = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^p?npm_(?!config_(?:cafile|noproxy|registry))/.test(name)),
  );
  const env = { ...own, PATH: path, CI: 'true', NO_COLOR: '1', TURBO_TELEMETRY_DISABLED: '1' };
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status === 0) return result.stdout;
  const why = result.error?.message ?? `exit code ${result.status ?? result.signal}`;
  throw new Error(`${program} ${args.join(' ')}\nin ${cwd}: ${why}\n${result.stdout ?? ''}${result.stderr ?? ''}`);
}

/** The first TypeScript example of the README: a block that begins with the line `// team.ts`. */
function readmeExample(): string {
  const example = programOf(readFileSync(join(ROOT, 'README.md'), 'utf8'), 'team.ts');
  if (example === null)
    throw new Error('README.md has no ```ts block that begins with "// team.ts". It is the example that newcomers copy.');
  return example;
}

function buildAndPack(folders: readonly string[], destination: string): string[] {
  // What another state of the source has left there would be packed too; turbo brings back what it has built.
  for (const folder of folders) rmSync(join(ROOT, folder, 'dist'), { recursive: true, force: true });
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

/** What a registry shows of a package: a page without a README and an address is a blank one. */
function checkPage(tarball: string): void {
  const inside = (file: string): string => run(dirname(tarball), 'tar', ['-xOf', tarball, `package/${file}`]);
  const { name, description, keywords, homepage, bugs, license, repository } = JSON.parse(inside('package.json')) as Manifest;
  const missing = Object.entries({ description, homepage, bugs, license, repository: repository?.directory }).flatMap(([field, value]) =>
    value === undefined || value === '' ? [field] : [],
  );
  if ((keywords ?? []).length === 0) missing.push('keywords');
  if (missing.length > 0) throw new Error(`${name} has no ${missing.join(', ')}. Add it to its package.json.`);
  const { url } = manifest('.').repository!;
  if (repository!.url !== url) throw new Error(`${name} names the repository ${repository!.url}, and the root's package.json ${url}.`);
  const readme = inside('README.md');
  if (!readme.startsWith(`# ${name}\n`)) throw new Error(`The README of ${name} does not begin with its name.`);
  if (!readme.includes('```') || !readme.includes('](https://')) throw new Error(`The README of ${name} needs an example and a link.`);
}

/** Each in a folder of its own, below what is installed. */
function runPageExamples(consumer: string, folders: readonly string[]): void {
  for (const folder of folders) {
    const example = programOf(readFileSync(join(ROOT, folder, 'README.md'), 'utf8'), 'example.ts');
    if (example === null) continue;
    const place = join(consumer, folder.replaceAll(/\W/g, '-'));
    mkdirSync(place);
    writeFileSync(join(place, 'example.ts'), example);
    if (run(place, process.execPath, ['example.ts']).trim() === '') throw new Error(`The example of ${folder}/README.md prints nothing.`);
  }
}

/** `init` and what it says to type next, as somebody who has installed the packages types it. */
function startTeam(folder: string): void {
  const npx = (...args: string[]): string => run(folder, 'npx', ['--no-install', ...args]);
  const told = npx('dreamfold', 'init', 'my-team');
  const next = 'npx dreamfold run my-team/team.ts "Where is order 17?"';
  if (!told.includes(`\n  ${next}\n`)) throw new Error(`init does not say to type ${next}:\n${told}`);
  const answer = npx('dreamfold', 'run', 'my-team/team.ts', 'Where is order 17?');
  if (!answer.includes('Rubric: satisfied')) throw new Error(`The team of init did not answer:\n${answer}`);
}

/** An older Node says what it lacks in one sentence. @returns false where no older Node is installed */
function refuseOlderNode(folder: string): boolean {
  const older = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((place) => join(place, 'node'))
    .find((node) => {
      const version = existsSync(node) ? spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout : '';
      return Number(version.split('.')[0]) < 24 && version !== '';
    });
  if (older === undefined) return false;
  const { status, stderr } = spawnSync(older, ['--input-type=module', '-e', "import 'dreamfold';"], { cwd: folder, encoding: 'utf8' });
  if (status === 0 || !/Error: dreamfold needs Node 24 or newer; this is Node \d/.test(stderr)) {
    throw new Error(`import 'dreamfold' on ${older} ended with ${status} and said:\n${stderr}`);
  }
  return true;
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
    step(`the page of ${name}`, () => checkPage(tarball));
    step(`publint ${name}`, () => run(work, 'publint', ['run', tarball, '--strict']));
    step(`types resolve in ${name}`, () => run(work, 'attw', [tarball, '--profile', 'esm-only']));
  }
  const installed = step('npm installs the tarballs in an empty folder', () => {
    installInEmptyFolder(consumer, tarballs);
    return true;
  });
  if (installed !== true) return;
  step('dreamfold --version', () => runCommand(consumer));
  step('npx dreamfold init, and what it says to type next', () => startTeam(consumer));
  step('the examples of the packages run', () => runPageExamples(consumer, folders));
  const refused = step("import 'dreamfold' on an older Node says what it needs", () => refuseOlderNode(consumer));
  if (refused === false) console.log('        not tried: no Node below 24 is on the path');
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
