// Writes the JavaScript of a package as it is published: one file for each entry of its package.json, and one for what several of
// them share. A program that imports hundreds of small files spends its start on finding and reading them. Types are tsc's.
//   node ../../scripts/bundle.ts      in a package's folder
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

interface Manifest {
  name: string;
  publishConfig: { exports: Record<string, string | { default: string }>; bin?: Record<string, string> };
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Loaded by their place beside the entries, and not by an import. */
const LOADED_BY_PLACE: Readonly<Record<string, readonly string[]>> = {
  '@dreamfold/log-kafka': ['./dist/catch-up/catch-up-thread.js'],
};

const folder = process.cwd();
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** `dist/sqlite/index` → `src/sqlite/index.ts`, for every file that somebody loads by name. */
function entries(): Record<string, string> {
  const { exports, bin = {} } = manifest.publishConfig;
  const files = Object.values(exports).map((target) => (typeof target === 'string' ? target : target.default));
  const built = [...files, ...Object.values(bin), ...(LOADED_BY_PLACE[manifest.name] ?? [])].filter((file) => file.endsWith('.js'));
  return Object.fromEntries(
    built.map((file) => {
      const name = file.replace(/^\.\/dist\/(.*)\.js$/, '$1');
      return [name, join(folder, 'src', `${name}.ts`)];
    }),
  );
}

/** What was built before is gone, so that nothing of it is published again without its source. */
function removeFormer(): void {
  for (const file of globSync('dist/**/*.{js,js.map}', { cwd: folder })) rmSync(join(folder, file));
  for (const file of globSync('dist/**/*.{d.ts,d.ts.map}', { cwd: folder })) {
    const source = file.replace(/^dist/, 'src').replace(/\.d\.ts(?:\.map)?$/, '.ts');
    if (!existsSync(join(folder, source))) rmSync(join(folder, file));
  }
}

const installed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

removeFormer();
const bundle = await rolldown({
  input: entries(),
  platform: 'node',
  external: (id) => id.startsWith('node:') || installed.some((name) => id === name || id.startsWith(`${name}/`)),
  treeshake: { moduleSideEffects: false },
  onLog: (level, log) => {
    if (level === 'warn') throw new Error(`${manifest.name}: ${log.message}`);
  },
});
await bundle.write({
  dir: join(folder, 'dist'),
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  // Where its source stands, for what looks for files beside itself.
  chunkFileNames: ({ facadeModuleId }) =>
    facadeModuleId === null || facadeModuleId === undefined
      ? 'shared-[hash].js'
      : `${relative(join(folder, 'src'), dirname(facadeModuleId))}/[name].js`.replace(/^\//, ''),
});
await bundle.close();
