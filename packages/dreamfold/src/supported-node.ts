const MINIMUM = 24;

/**
 * Says what an older Node lacks, before the first thing that it lacks fails with words that say nothing to anybody: `node:sqlite`, and what
 * the packages are built for.
 * @throws Error
 */
export function needSupportedNode(): void {
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM) return;
  throw new Error(`dreamfold needs Node ${MINIMUM} or newer; this is Node ${process.versions.node}. Install it from https://nodejs.org.`);
}
