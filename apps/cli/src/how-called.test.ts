import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { fromRegistry, fromSource } from './how-called.ts';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));
const BIN = `${import.meta.dirname}/bin.ts`;
const PNPM = { npm_config_user_agent: 'pnpm/12.21.0 npm/? node/? linux x64' };
const NPX_PNPM = { ...PNPM, npm_execpath: '/root/.npm/_npx/0390bb/node_modules/pnpm/pnpm' };

test.each([
  ['by a script of pnpm that npx has fetched', { env: NPX_PNPM, cwd: ROOT }, /^npx -y pnpm@\d+\.\d+\.\d+ dreamfold$/],
  ['by a script of pnpm that is installed', { env: { ...PNPM, npm_execpath: '/usr/bin/pnpm' }, cwd: ROOT }, /^pnpm dreamfold$/],
  ['by node in the root', { env: {}, cwd: ROOT }, /^node apps\/cli\/src\/bin\.ts$/],
  ['by node elsewhere', { env: NPX_PNPM, cwd: '/elsewhere' }, new RegExp(`^node ${BIN}$`)],
])('from source, called %s', (_, { env, cwd }, typed) => {
  expect(fromSource({ env, argv1: BIN, cwd })).toMatch(typed);
});

test('from source, through a link on the path, as in the image of Dockerfile', () => {
  expect(fromSource({ env: {}, argv1: '/usr/local/bin/dreamfold', cwd: '/home/node' })).toBe('dreamfold');
});

test.each([
  ['/root/.npm/_npx/1a2b/node_modules/.bin/dreamfold', { npm_command: 'exec' }, 'npx @dreamfold/cli'],
  ['/home/ann/shop/node_modules/.bin/dreamfold', { npm_command: 'exec' }, 'npx dreamfold'],
  ['/home/ann/shop/node_modules/.bin/dreamfold', {}, 'npx dreamfold'],
  [
    '/home/ann/shop/node_modules/@dreamfold/cli/dist/bin.js',
    { npm_execpath: '/usr/lib/node_modules/pnpm/bin/pnpm.cjs' },
    'pnpm exec dreamfold',
  ],
  ['/usr/local/bin/dreamfold', {}, 'dreamfold'],
  ['/home/ann/dreamfold/apps/cli/dist/bin.js', {}, 'node dist/bin.js'],
])('installed, called as %s', (argv1, env, typed) => {
  expect(fromRegistry({ env, argv1, cwd: '/home/ann/dreamfold/apps/cli' })).toBe(typed);
});
