// Java and the jars of a broker. Maven fetches the jars once, into the repository's node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const OLDEST_JAVA = 17;
const POM = join(import.meta.dirname, 'pom.xml');
const VERSION = /<kafka\.version>([^<]+)</.exec(readFileSync(POM, 'utf8'))![1]!;
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/dreamfold-kafka', VERSION);
const JARS = join(CACHE, 'jars');

/** What starting a broker takes, or which of it is not there and how to get it. */
export type KafkaTools = { ok: true; java: Java } | { ok: false; missing: string };

export interface Java {
  program: string;
  keytool: string;
  /** Names the build, such as 17.0.15+6. */
  version: string;
}

/** A broker's program. */
export interface Distribution {
  java: Java;
  classpath: string;
  /** Where files that belong to this version of Kafka are kept. */
  cache: string;
}

/** Looks for Java (JAVA_HOME, else the path) and, while Kafka has not been fetched, for Maven. */
export function findKafkaTools(): KafkaTools {
  const java = findJava();
  if (typeof java === 'string') return { ok: false, missing: `${java} (for example: apt-get install openjdk-17-jre-headless)` };
  if (!existsSync(JARS) && spawnSync('mvn', ['-version']).status !== 0) {
    return { ok: false, missing: 'Maven, which fetches Kafka once (for example: apt-get install maven)' };
  }
  return { ok: true, java };
}

function findJava(): Java | string {
  const home = process.env['JAVA_HOME'] ?? '';
  const program = home === '' ? 'java' : join(home, 'bin/java');
  const { status, stderr } = spawnSync(program, ['-XshowSettings:properties', '-version'], { encoding: 'utf8' });
  if (status !== 0) return `Java >= ${OLDEST_JAVA}`;
  const property = (name: string): string => new RegExp(`^ +${name} = (.*)$`, 'm').exec(stderr)?.[1] ?? '';
  // Java 8 calls itself 1.8.
  const version = property('java.specification.version');
  if (!(Number(version) >= OLDEST_JAVA)) return `Java >= ${OLDEST_JAVA}, ${program} is ${version},`;
  return { program, keytool: join(property('java.home'), 'bin/keytool'), version: property('java.vm.version') };
}

/** Fetches what is not in the cache yet. Several processes may do so at once: whichever ends first leaves its jars. */
export async function fetchKafka(java: Java): Promise<Distribution> {
  if (!existsSync(JARS)) {
    mkdirSync(CACHE, { recursive: true });
    const fetched = temporaryFolder(join(CACHE, '.fetching-'));
    try {
      const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${fetched.path}`];
      await runProgram('mvn', ['--batch-mode', '--quiet', '--strict-checksums', '--file', POM, ...goal]);
      moveUnlessThere(fetched.path, JARS);
    } finally {
      await fetched.remove();
    }
  }
  // Sorted, since an archive of classes (startup-archive.ts) holds for one class path.
  const jars = readdirSync(JARS).sort();
  return { java, classpath: jars.map((jar) => join(JARS, jar)).join(':'), cache: CACHE };
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
