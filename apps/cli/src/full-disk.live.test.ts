import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DESK, Workspace } from './testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const BIN = new URL('bin.ts', import.meta.url).pathname;

/** Runs in a namespace that nobody else sees, where `disk` is a file system of 1 MB that holds the data, and no byte is left. */
const ON_FULL_DISK = `
  set -e
  mkdir disk && mount -t tmpfs -o size=1m tmpfs disk && cp -r data disk/data
  dd if=/dev/zero of=disk/ballast bs=1k 2>/dev/null || true
  dd if=/dev/zero of=disk/rest bs=1 count=4096 2>/dev/null || true
  for command in "sessions" "show $1" "verify" "export"; do
    echo "== $command"; "$0" "${BIN}" $command --data disk/data 2>&1 || echo "exit $?"
  done`;

test('a data directory on a full disk can be looked at, checked and saved', async (context) => {
  const { status, stderr, error } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { encoding: 'utf8' });
  context.skip(status !== 0, `no file system can be mounted here: ${error?.message ?? stderr}`);
  workspace.file('team.ts', DESK);
  const ran = await workspace.run('run', 'team.ts', 'Where is my order?', '--data', 'data');
  const id = /sesn_\w+/.exec(ran.stdout + ran.stderr)![0];
  const { stdout } = spawnSync('unshare', ['-m', 'sh', '-c', ON_FULL_DISK, process.execPath, id], {
    cwd: workspace.path,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const said = stdout.split(/^== /m).slice(1);
  expect(said).toHaveLength(4);
  for (const one of said) {
    expect(one).toContain(`The disk is full: ${join('disk', 'data', 'log.db')} is read as it is`);
    expect(one).not.toMatch(/^exit /m);
  }
  expect(said[0]).toContain(id);
  expect(said[1]).toContain('Where is my order?');
  expect(said[3]).toContain('Where is my order?');
});
