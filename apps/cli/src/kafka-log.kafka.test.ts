import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { driverFor, parseKafkaUrl, type KafkaDriver } from '@dreamfold/log-kafka';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startKafka, type KafkaCluster } from '../../../scripts/kafka/kafka-broker.ts';
import type { DemoReport } from './demo/run-demo.ts';
import { DESK, PROGRAM, REFUND, Workspace } from './testing/dreamfold-process.ts';

const TASK = 'Where is order 17?';
const SECRET = 'geheim-7';
const workspace = new Workspace();
afterAll(() => workspace.remove());

let logs = 0;

/** A place on the shared broker where nothing is yet. */
function newLog(): string {
  return `kafka://${inject('kafkaBrokers')}/cli-${process.pid}-${(logs += 1)}?partitions=3`;
}

/** What a command on one of several machines is given: the log that all share, and a data directory of its own. */
function on(machine: string, url: string): string[] {
  return ['--log', url, '--data', machine];
}

/** The replica of the first process of a machine. */
function replicaIn(machine: string, url: string): string {
  const root = join(workspace.path, machine, 'kafka', parseKafkaUrl(url).prefix);
  const logId = readdirSync(root).find((name) => name.startsWith('log_'))!;
  return join(root, logId, '1', 'replica');
}

async function driverOf(url: string): Promise<KafkaDriver> {
  const driver = driverFor(parseKafkaUrl(url));
  onTestFinished(() => driver.close());
  await driver.connect();
  return driver;
}

async function topicsOf(url: string): Promise<string[]> {
  const driver = await driverOf(url);
  const names = Object.values(parseKafkaUrl(url).topics);
  const found = await Promise.all(names.map(async (name) => ((await driver.describe(name)) === null ? [] : [name])));
  return found.flat();
}

beforeAll(async () => {
  workspace.file('desk.ts', DESK);
  expect((await workspace.run('init', 'my-team')).code).toBe(0);
});

describe('two machines on one log', () => {
  const log = newLog();
  const here = on('here', log);
  const there = on('there', log);
  let id = '';

  beforeAll(async () => {
    const { code, document } = await workspace.json('run', 'my-team/team.ts', TASK, '--principal', 'customer-4', ...here);
    expect(code).toBe(0);
    id = document.sessionId;
  });

  test('what one has written the other shows and replays', async () => {
    const { stdout, stderr } = await workspace.run('sessions', ...there);
    expect(stdout).toContain(id);
    expect(stderr).toBe('');
    const [a, b] = [await workspace.json('show', id, ...here), await workspace.json('show', id, ...there)];
    expect(b.document.events.length).toBeGreaterThan(30);
    expect(b).toEqual(a);
    const replayed = await workspace.json('replay', id, '--verify', ...there);
    expect(replayed).toMatchObject({ code: 0 });
  });

  test('a call that waits here is approved there, by the command that was printed, and goes on there', async () => {
    const { code, document } = await workspace.json('run', 'desk.ts', REFUND, ...here);
    expect(code).toBe(5);
    const [{ approve, call }] = document.waiting;
    expect(approve).toBe(`${PROGRAM} approve ${document.sessionId} ${call} --log "${log}" --data "here"`);
    expect((await workspace.run('approve', document.sessionId, ...there)).stdout).toMatch(/^Approved by person:\S+: refund$/m);
    expect((await workspace.run('approve', document.sessionId, call, ...here)).code).toBe(2);
    expect(await workspace.json('resume', document.sessionId, 'desk.ts', ...there)).toMatchObject({
      code: 0,
      document: { text: 'Paid back.' },
    });
    expect((await workspace.run('show', document.sessionId, ...here)).stdout).toContain('refund ← paid 7');
  });

  test('a session that runs here hears of the word that is given there', async () => {
    const run = workspace.start(['run', 'desk.ts', REFUND, '--wait', ...here]);
    const [, session] = await run.said(/ approve (sesn_\w+) /);
    const tail = workspace.start(['tail', session!, ...there]);
    await tail.said(/waits for approval/);
    expect((await workspace.run('approve', session!, ...there)).code).toBe(0);
    expect((await run.ended).stdout).toContain('Paid back.');
    expect((await tail.ended).stdout).toContain('refund ← paid 7');
  });

  test('memory written here is read there', async () => {
    workspace.file('note.md', 'Never promise a refund.\n');
    expect((await workspace.run('memory', 'create', 'desk', ...here)).code).toBe(0);
    expect((await workspace.run('memory', 'write', 'desk', '/note.md', 'note.md', ...there)).code).toBe(0);
    expect((await workspace.run('memory', 'show', 'desk', ...here)).stdout).toContain('Never promise a refund.');
  });

  test('an export begins another log with the same heads', async () => {
    await workspace.run('export', '--out', 'all.jsonl', ...there);
    const copy = on('copy', newLog());
    expect((await workspace.run('import', 'all.jsonl', '--format', 'dreamfold', ...copy)).stderr).toBe('');
    const [before, after] = [await workspace.json('show', id, ...here), await workspace.json('show', id, ...copy)];
    const hashes = (shown: { document: { events: { hash: string }[] } }): string[] => shown.document.events.map(({ hash }) => hash);
    expect(hashes(after)).toEqual(hashes(before));
    expect((await workspace.json('import', 'all.jsonl', '--format', 'dreamfold', ...copy)).document).toMatchObject({ added: 0 });
  });

  test('a replica that is gone, or was changed, is built again', async () => {
    const before = await workspace.json('sessions', ...there);
    rmSync(join(workspace.path, 'there', 'kafka'), { recursive: true });
    expect(await workspace.json('sessions', ...there)).toEqual(before);
    writeFileSync(join(replicaIn('there', log), 'partition-1', 'replica.db'), 'junk');
    const { code, stdout, stderr } = await workspace.run('sessions', '--json', ...there);
    expect([code, JSON.parse(stdout)]).toEqual([0, before.document]);
    expect(stderr).toMatch(/^[^\n]+The local replica is built again\.\n$/);
  });

  test('verify lists what stands in the topic and is no event, and finds nothing wrong with it', async () => {
    expect((await workspace.json('verify', ...here)).document).toMatchObject({ ok: true, setAside: [] });
    const { topics } = parseKafkaUrl(log);
    const driver = await driverOf(log);
    const offset = (await driver.offsets(topics.events))![2]!.high;
    await driver.produce(topics.events, 2, [{ key: 'session/none', value: Buffer.from('no event'), headers: {} }]);
    const { code, document } = await workspace.json('verify', ...here);
    expect([code, document.ok, document.setAside]).toEqual([0, true, [{ partition: 2, offset, reason: 'broken' }]]);
    const { stdout, stderr } = await workspace.run('verify', ...there);
    expect(stdout).toMatch(/^All is as it was written: \d+ events/);
    expect(stdout).toContain(`1 record of the topic set aside, which no reader counts:\n  partition 2, offset ${offset}: broken\n`);
    expect(stderr).toMatch(/^The record at offset \d+ of partition 2 is no event of this log[^\n]+\n$/);
    expect(await workspace.json('verify', '--accept-head', ...here)).toMatchObject({
      code: 2,
      document: { error: { code: 'invalid_argument', path: '--accept-head' } },
    });
  });
});

describe('what a dream teaches', () => {
  const log = newLog();
  const here = on('dreams', log);
  const there = on('reviews', log);

  test('is proposed here, approved there, and remembered in both places', async () => {
    // It does not write its sessions to a log that others share.
    const refused = await workspace.json('demo', ...here);
    expect([refused.code, refused.document.error]).toMatchObject([2, { code: 'invalid_argument', path: '--log' }]);
    expect(await topicsOf(log)).toEqual([]);
    const demo = (await workspace.json('demo', '--data', 'demo')).document as DemoReport;
    await workspace.run('export', '--out', 'demo.jsonl', '--data', 'demo');
    await workspace.run('import', 'demo.jsonl', '--format', 'dreamfold', ...here);
    const listed = await workspace.json('review', 'list', ...there);
    expect(listed.document.waiting.map((patch: { id: string }) => patch.id)).toEqual(demo.waiting.patchIds);
    const [patch] = demo.waiting.patchIds;
    expect((await workspace.run('review', 'approve', patch!, '--by', 'ann', ...there)).stdout).toContain(`applied ${patch}`);
    const shown = await workspace.run('memory', 'show', demo.store, ...here);
    expect(shown.stdout).toMatch(/^- queue = "\w+" when the request says /m);
    const shownThere = await workspace.run('memory', 'show', demo.store, ...there);
    expect(shownThere).toEqual({ ...shown, stdout: shown.stdout.replace('--data "dreams"', '--data "reviews"') });
    expect((await workspace.json('dream', 'list', ...there)).document.dreams).toHaveLength(2);
    expect(await workspace.json('dream', '--store', demo.store, ...there)).toMatchObject({ code: 0 });
  });
});

describe('a log that is not there', () => {
  const log = newLog();
  const shown = log.slice(0, log.indexOf('?'));

  test.each<[string[]]>([
    [['sessions']],
    [['show', 'sesn_x']],
    [['verify']],
    [['send', 'sesn_x', 'Hello']],
    [['dreamer', '--store', 'desk']],
    [['run', 'desk.ts', 'Hello', '--memory', 'desk']],
  ])('is not begun by %j', async (args) => {
    const { code, document } = await workspace.json(...args, ...on('never', log));
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: 'not_found', path: '--log' });
    expect(document.error.message).toContain(`There is no log at ${shown}`);
    expect(await topicsOf(log)).toEqual([]);
    expect(existsSync(join(workspace.path, 'never'))).toBe(false);
  });

  test('is not begun by an import with a bad row', async () => {
    const { document } = await workspace.json('import', 'desk.ts', '--format', 'messages', ...on('never', log));
    expect(document.error.code).toBe('invalid_json');
    expect(await topicsOf(log)).toEqual([]);
  });

  test('is begun by a run, whose half-made topics are no log yet', async () => {
    const driver = await driverOf(log);
    const { topics } = parseKafkaUrl(log);
    await driver.createTopic({ topic: topics.work, partitions: 3, replication: 1, settings: {} });
    expect((await workspace.json('sessions', ...on('never', log))).document.error.code).toBe('not_found');
    expect((await workspace.run('run', 'my-team/team.ts', TASK, ...on('first', log))).code).toBe(0);
    expect(await topicsOf(log)).toHaveLength(4);
  });
});

describe('DREAMFOLD_LOG', () => {
  const log = newLog();
  const run = (args: string[], env = log) => workspace.start(args, { DREAMFOLD_LOG: env }).ended;

  test('says it for all commands, and is not repeated in those that are printed', async () => {
    const { code, stdout } = await run(['run', 'desk.ts', REFUND]);
    expect(code).toBe(5);
    expect(stdout).toMatch(/^ +node \S+ approve sesn_\w+ sevt_[\w-]+$/m);
    expect((await run(['sessions', '--data', 'elsewhere'])).stdout).toContain('requires_action');
    expect(existsSync(join(workspace.path, '.dreamfold', 'log.db'))).toBe(false);
  });

  test('gives way to --log, and is nothing when it is empty', async () => {
    expect(await run(['sessions', '--log', newLog()])).toMatchObject({ code: 2 });
    const { code, stderr } = await run(['sessions'], '');
    expect(code).toBe(2);
    expect(stderr).toContain('There is no data in ./.dreamfold');
  });
});

describe('a wrong address', () => {
  test.each([
    [`kafka://ann:${SECRET}@host`, 'config_invalid', 2],
    [`kafka://host/p?password=${SECRET}`, 'config_invalid', 2],
    ['', 'config_invalid', 2],
    [`kafka://ann:${SECRET}@127.0.0.1:1/p`, 'store_unavailable', 3],
  ])('%s', async (url, code, exit) => {
    const { code: ended, stdout, stderr } = await workspace.run('sessions', '--json', '--log', url);
    expect([ended, JSON.parse(stdout).error.code]).toEqual([exit, code]);
    expect(JSON.parse(stdout).error.remedy).not.toBe('');
    expect(stdout + stderr).not.toContain(SECRET);
  });

  test('where something listens that never answers ends within 10 seconds, with the address', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const start = performance.now();
    const { code, document } = await workspace.json('sessions', '--log', `kafka://127.0.0.1:${port}/p`);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect([code, document.error.code]).toEqual([3, 'store_unavailable']);
    expect(document.error.message).toContain(`127.0.0.1:${port}`);
  });
});

describe.skipIf(!inject('canStartKafka'))('on a broker that wants TLS and a password', () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await startKafka({ security: 'sasl_ssl' });
  });
  afterAll(() => cluster.stop());

  test('user and password come from the URL, and stand in nothing that is printed', async () => {
    const { brokers, ca, username, password } = cluster;
    const place = `${brokers}/p?ca=${encodeURIComponent(ca!)}`;
    const log = `kafka://${username}:${password}@${place}`;
    const { code, stdout, stderr } = await workspace.run('run', 'desk.ts', REFUND, '--log', log);
    expect(code).toBe(5);
    expect(stderr).not.toContain(password);
    expect(stdout).toMatch(/^ +node \S+ approve sesn_\w+ sevt_[\w-]+ --log "([^"]+)"$/m);
    expect(stdout).toContain(`--log "kafka://***@${place}"`);
    expect(stdout).not.toContain(password);
    const wrong = await workspace.run('sessions', '--json', '--log', `kafka://${username}:${SECRET}@${place}`);
    expect(JSON.parse(wrong.stdout).error.code).toBe('permission_denied');
    expect(wrong.stdout + wrong.stderr).not.toContain(SECRET);
  });

  test('or from the environment; brokers that go away and come back are a line each', async () => {
    const env = {
      DREAMFOLD_LOG: `kafka://${cluster.brokers}/p`,
      DREAMFOLD_KAFKA_USERNAME: cluster.username!,
      DREAMFOLD_KAFKA_PASSWORD: cluster.password!,
      DREAMFOLD_KAFKA_CA: cluster.ca!,
    };
    const { stdout } = await workspace.start(['run', 'desk.ts', REFUND, '--json'], env).ended;
    const { sessionId, waiting } = JSON.parse(stdout);
    const tail = workspace.start(['tail', sessionId], env);
    await tail.said(/waits for approval/);
    await cluster.node(1).kill();
    await tail.noted(/^The brokers do not answer: [^\n]+\n/);
    await cluster.node(1).start();
    await tail.noted(/\nThe brokers answer again\.\n$/);
    expect((await workspace.start(['deny', sessionId, waiting[0].call], env).ended).code).toBe(0);
    await tail.said(/denies/);
    tail.kill('SIGINT');
    expect((await tail.ended).code).toBe(0);
  });
});
