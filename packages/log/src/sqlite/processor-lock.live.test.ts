import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acquireProcessorLock, findProcessor } from './processor-lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dreamfold-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Waits for a line, takes the lock, prints what came of it, and stays. */
function takerSource(): string {
  return `
    import { acquireProcessorLock } from ${JSON.stringify(new URL('processor-lock.ts', import.meta.url).href)};
    process.stdin.once('data', async () => {
      try { await acquireProcessorLock(${JSON.stringify(directory)}); console.log('got'); }
      catch (error) { console.log(error.code, error.value); }
    });
    console.log('ready');`;
}

function taker(): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', takerSource()], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function line(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout!, 'data')) as [Buffer];
  return data.toString().trim();
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the processor lock', () => {
  it('says who holds it and since when; nobody before, after, or when the holder was killed', async () => {
    expect(findProcessor(directory)).toBeNull();
    const before = Date.now();
    const lock = await acquireProcessorLock(directory);
    const found = findProcessor(directory);
    expect(found).toMatchObject({ pid: process.pid });
    expect(found!.since).toBeGreaterThanOrEqual(before);
    expect(found!.since).toBeLessThanOrEqual(Date.now());
    lock.release();
    expect(findProcessor(directory)).toBeNull();

    const killed = taker();
    await line(killed);
    killed.stdin!.write('go');
    expect(await line(killed)).toBe('got');
    expect(findProcessor(directory)).toMatchObject({ pid: killed.pid });
    await end(killed);
    expect(findProcessor(directory)).toBeNull();
    writeFileSync(join(directory, 'processor.lock'), 'no lock');
    expect(findProcessor(directory)).toBeNull();
  });

  it('is held by one, and free after its release', async () => {
    const lock = await acquireProcessorLock(directory);
    await expect(acquireProcessorLock(directory)).rejects.toMatchObject({ code: 'store_locked', value: process.pid });
    lock.release();
    lock.release();
    const again = await acquireProcessorLock(directory);
    again.release();
    expect(readdirSync(directory)).toEqual(['processor.lock']);
  });

  it('names the process that holds it, and is taken over when that is gone', async () => {
    const child = taker();
    expect(await line(child)).toBe('ready');
    child.stdin!.write('go\n');
    expect(await line(child)).toBe('got');
    await expect(acquireProcessorLock(directory)).rejects.toMatchObject({ code: 'store_locked', value: child.pid });
    await end(child);
    const lock = await acquireProcessorLock(directory);
    expect(lock.pid).toBe(process.pid);
    lock.release();
    expect(readdirSync(directory)).toEqual(['processor.lock']);
  });

  it.runIf(process.platform === 'linux')(
    'is taken over from a process that was killed and that its parent has not waited for',
    async () => {
      // The shell becomes a sleep, which never waits for the child that it was given.
      const script = `{ "$0" --input-type=module -e "$1" <&3 & } 3<&0; exec sleep 60 >&-`;
      const parent = spawn('sh', ['-c', script, process.execPath, takerSource()], { stdio: ['pipe', 'pipe', 'inherit'] });
      expect(await line(parent)).toBe('ready');
      parent.stdin.write('go\n');
      expect(await line(parent)).toBe('got');
      const { pid } = JSON.parse(readFileSync(join(directory, 'processor.pid'), 'utf8')) as { pid: number };
      expect(pid).not.toBe(parent.pid);
      await expect(acquireProcessorLock(directory)).rejects.toMatchObject({ code: 'store_locked', value: pid });
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z '));
      const lock = await acquireProcessorLock(directory);
      expect(lock.pid).toBe(process.pid);
      lock.release();
      await end(parent);
    },
  );

  it('goes to one of many who find it stale at the same time', async () => {
    const dead = taker();
    await line(dead);
    dead.stdin!.write('go\n');
    await line(dead);
    await end(dead);
    const takers = Array.from({ length: 5 }, taker);
    await Promise.all(takers.map(line));
    for (const child of takers) child.stdin!.write('go\n');
    const results = await Promise.all(takers.map(line));
    await Promise.all(takers.map(end));
    expect(results.filter((result) => result === 'got')).toHaveLength(1);
    expect(results.filter((result) => result.startsWith('store_locked'))).toHaveLength(4);
  });

  it('stands while others look at it, and is not given up by what is only left of it', async () => {
    writeFileSync(join(directory, 'processor.pid'), JSON.stringify({ pid: process.pid, since: 1 }));
    expect(findProcessor(directory)).toBeNull();
    const lock = await acquireProcessorLock(directory);
    rmSync(join(directory, 'processor.pid'));
    expect(findProcessor(directory)).toEqual({ pid: null, since: 0 });
    await expect(acquireProcessorLock(directory)).rejects.toMatchObject({ code: 'store_locked', value: null });
    const child = taker();
    expect(await line(child)).toBe('ready');
    child.stdin!.write('go\n');
    expect(await line(child)).toBe('store_locked null');
    await end(child);
    lock.release();
  });

  it('refuses a file that is no lock', async () => {
    writeFileSync(join(directory, 'processor.lock'), 'hello');
    await expect(acquireProcessorLock(directory)).rejects.toMatchObject({ code: 'store_locked', value: 'a file of another kind' });
  });

  it('refuses a directory in its place', async () => {
    mkdirSync(join(directory, 'processor.lock'));
    await expect(acquireProcessorLock(directory)).rejects.toMatchObject({ code: 'store_locked', value: 'a directory' });
    expect(readdirSync(directory)).toEqual(['processor.lock']);
  });

  it.each<[what: string, value: string, make: (path: string) => unknown]>([
    ['a pipe', 'a pipe', (path) => execFileSync('mkfifo', [path])],
    ['a link to itself', 'a link', (path) => symlinkSync(path, path)],
    ['a link that leads nowhere', 'a link', (path) => symlinkSync('nowhere', path)],
    ['a link to a device', 'a link', (path) => symlinkSync('/dev/zero', path)],
    ['a huge file', 'a file of another kind', (path) => (writeFileSync(path, ''), truncateSync(path, 2 ** 31))],
  ])('refuses %s in its place, at once', async (_, value, make) => {
    make(join(directory, 'processor.lock'));
    await expect(acquireProcessorLock(directory)).rejects.toMatchObject({
      code: 'store_locked',
      value,
      remedy: expect.stringContaining('Delete it') as string,
    });
    expect(readdirSync(directory)).toEqual(['processor.lock']);
  });

  it('needs a directory that can be written', async () => {
    await expect(acquireProcessorLock(join(directory, 'none'))).rejects.toMatchObject({ code: 'store_read_only' });
  });
});
