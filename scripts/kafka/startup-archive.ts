import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { Distribution } from './kafka-distribution.ts';
import { KafkaNode } from './kafka-node.ts';
import { serverProperties } from './node-settings.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * Arguments that let Java start from an archive of loaded classes (class data sharing), which halves a broker's start. The archive
 * holds for one build of Java and is made once, by a broker that starts and stops; afterwards it is only read.
 */
export async function startupArchive(distribution: Distribution): Promise<readonly string[]> {
  const archive = join(distribution.cache, `${distribution.java.version}.jsa`);
  if (!existsSync(archive)) {
    const folder = temporaryFolder(join(distribution.cache, '.archiving-'));
    try {
      const made = await archiveClasses(distribution, folder.path);
      // A Java that comes without its own archive cannot add to it.
      if (!existsSync(made)) return [];
      renameSync(made, archive);
    } finally {
      await folder.remove();
    }
  }
  return [`-XX:SharedArchiveFile=${archive}`, '-Xlog:cds=off'];
}

async function archiveClasses(distribution: Distribution, directory: string): Promise<string> {
  const archive = join(directory, 'classes.jsa');
  const [client = 0, controller = 0] = await freePorts(2);
  const properties = serverProperties({
    id: 1,
    directory,
    ports: { client, controller, internal: 0 },
    controllers: `1@127.0.0.1:${controller}`,
    nodes: 1,
    sessionTimeoutMs: 3000,
    host: '127.0.0.1',
    superUser: null,
    keystore: null,
  });
  writeFileSync(join(directory, 'server.properties'), properties);
  await new KafkaNode({ distribution, directory, jvm: [] }).format();
  const node = new KafkaNode({ distribution, directory, jvm: [`-XX:ArchiveClassesAtExit=${archive}`, '-Xlog:cds=off'] });
  await node.start();
  // Without a limit: an archive that is cut short would be kept.
  await node.kill('SIGTERM');
  return archive;
}
