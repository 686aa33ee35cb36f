const MINIMUM = 24;

// `node:sqlite` and what the packages are built for come with it; without this word, the first thing that lacks says nothing to anybody.
if (Number(process.versions.node.split('.')[0]) < MINIMUM) {
  throw new Error(`dreamfold needs Node ${MINIMUM} or newer; this is Node ${process.versions.node}. Install it from https://nodejs.org.`);
}
