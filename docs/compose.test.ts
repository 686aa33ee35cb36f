// compose.yaml and the Dockerfile can't be run where there is no docker. What they pin is what this repository runs and tests.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = dirname(import.meta.dirname);
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const { packageManager, devDependencies } = JSON.parse(text('package.json')) as {
  packageManager: string;
  devDependencies: { node: string };
};
const { services } = parse(text('compose.yaml'), { merge: true }) as {
  services: Record<
    string,
    { image?: string; command?: string[]; restart: string; volumes: { type: string; source?: string }[] | string[] }
  >;
};

test('the broker is the version that the tests run on', () => {
  const tested = /<kafka\.version>([^<]+)</.exec(text('scripts/kafka/pom.xml'))![1]!;
  expect(services['kafka']!.image).toBe(`apache/kafka:${tested}`);
});

test('the image has the Node and the pnpm of this repository', () => {
  const images = [...text('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  expect(images).toEqual([`node:${devDependencies.node}-slim`, `node:${devDependencies.node}-slim`]);
  expect(text('Dockerfile')).toContain(`npx -y ${packageManager} install --frozen-lockfile`);
});

test('what runs teams and dreams gives up at last, and has a replica of its own', () => {
  for (const name of ['worker', 'dreamer']) {
    const { restart, volumes } = services[name]!;
    expect(restart).toBe('on-failure:5');
    expect(volumes).toContainEqual({ type: 'volume', target: '/home/node/.dreamfold' });
  }
});
