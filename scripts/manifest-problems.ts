/** What of a package.json the house's rules look at. */
export interface Manifest {
  name: string;
  private?: boolean;
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  publishConfig?: { exports?: Record<string, unknown>; bin?: Record<string, string> };
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** What a package uses, whatever it uses it for. */
export function dependenciesOf(json: Manifest): Record<string, string> {
  return { ...json.dependencies, ...json.devDependencies, ...json.peerDependencies, ...json.optionalDependencies };
}

function built(entry: string): unknown {
  if (!entry.startsWith('./src/')) return entry;
  const out = entry.replace('./src/', './dist/').slice(0, -'.ts'.length);
  return { types: `${out}.d.ts`, default: `${out}.js` };
}

/** Versions that are not pinned, and entries that are published otherwise than they are exported; each with its remedy. */
export function manifestProblems(path: string, json: Manifest): string[] {
  const problems = Object.entries(dependenciesOf(json))
    .filter(([, version]) => !/^(?:\d+\.\d+\.\d+(?:-[\w.]+)?|workspace:\*|catalog:)$/.test(version))
    .map(([name, version]) => `${path}: ${name} is "${version}". Pin one exact version, or use workspace:* or catalog:.`);
  if (json.private === true) return problems;
  const wanted = Object.fromEntries(Object.entries(json.exports ?? {}).map(([key, entry]) => [key, built(entry)]));
  if (JSON.stringify(wanted) !== JSON.stringify(json.publishConfig?.exports)) {
    problems.push(`${path}: publishConfig.exports must be ${JSON.stringify(wanted)}, as exports has it in src.`);
  }
  for (const [name, entry] of Object.entries(json.bin ?? {})) {
    const out = entry.replace('./src/', './dist/').replace(/\.ts$/, '.js');
    if (json.publishConfig?.bin?.[name] !== out) problems.push(`${path}: publishConfig.bin.${name} must be ${out}, as bin has it in src.`);
  }
  return problems;
}
