import { join } from 'node:path';
import { open, type LogEvent } from 'dreamfold';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../session/gather.ts';
import { PROGRAM, Workspace, type Ended } from '../testing/dreamfold-process.ts';
import type { DemoReport } from './run-demo.ts';

const workspace = new Workspace();
let told: Ended;

beforeAll(async () => {
  told = await workspace.run('demo');
});
afterAll(() => workspace.remove());

const cited = (events: LogEvent[], seq: number): string | undefined => events.find((event) => event.seq === seq)?.type;

/** The commands that the demo tells the reader to type, as arguments. */
function nextCommands(stdout: string): string[][] {
  const lines = stdout.split('Type next:\n')[1]!.split('\n');
  return lines.flatMap((line) => (line.startsWith(`     ${PROGRAM} `) ? [line.replace(PROGRAM, '').trim().split(' ')] : []));
}

describe('dreamfold demo', () => {
  test('tells its story in at most 80 lines, and says that the model is scripted', () => {
    // On a busy machine its progress is told.
    expect([told.code, told.stderr.replaceAll(/^tickets \[.*\n/gm, '')]).toEqual([0, '']);
    expect(told.stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(80);
    expect(told.stdout).toMatch(/scripted/);
    for (const said of [
      '0.25 > 1.00',
      'when the request says "parcel" (+',
      'evidence session/',
      'gate "evidence"',
      'gate "constitution"',
      'byte for byte',
    ]) {
      expect(told.stdout).toContain(said);
    }
    expect(told.stdout).not.toContain('\u001b');
  });

  test('ends with commands that work on its data', async () => {
    const commands = nextCommands(told.stdout);
    expect(commands.map(([name]) => name)).toEqual(['sessions', 'show', 'replay', 'review', 'memory', 'memory']);
    for (const args of commands) {
      const { code, stdout, stderr } = await workspace.run(...args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(stdout).not.toBe('');
      expect((await workspace.json(...args)).code).toBe(0);
    }
    expect(await workspace.run('verify')).toMatchObject({ code: 0 });
  });

  test('runs again on the same data, with a store of its own and the same figures', async () => {
    const { code, document } = await workspace.json('demo');
    expect(code).toBe(0);
    const { store, firstDay, nextDay, rolledBack } = document as DemoReport;
    expect(store).toBe('support-2');
    expect([firstDay, nextDay, rolledBack].map(({ figures }) => figures.rightFirstTime)).toEqual([7, 8, 2]);
    for (const { figures } of [firstDay, nextDay, rolledBack]) {
      expect(told.stdout).toMatch(new RegExp(`${figures.tickets} +${figures.rightFirstTime} \\(\\d+ %\\) .* ${figures.modelCalls}\n`));
    }
    expect((await workspace.json('sessions')).document.total).toBe(64);
  });

  test('cites evidence that is on the log, and rejects what was planted for its reason', async () => {
    const { dream, waiting } = (await workspace.json('demo', '--data', 'other')).document as DemoReport;
    expect(dream.proposed).toHaveLength(3);
    const dreamfold = await open({ directory: join(workspace.path, 'other'), readOnly: true });
    for (const { insight, evidence } of dream.proposed) {
      expect(insight).toMatchObject({ kind: 'choice', support: { sessions: 3, principals: 3 } });
      for (const ref of evidence) {
        const [, id, seq] = /^session\/(\w+)#(\d+)$/.exec(ref)!;
        expect(cited(await gather(dreamfold.events(id!)), Number(seq))).toMatch(/^(?:agent\.tool_use|feedback\.recorded)$/);
      }
    }
    await dreamfold.close();
    const failed = dream.rejected.map(({ insight, gates }) => ['value' in insight && insight.value, gates.find(({ pass }) => !pass)!.gate]);
    expect(failed).toEqual([
      ['vip', 'evidence'],
      ['spam', 'constitution'],
    ]);
    expect(waiting.patchIds.length).toBeGreaterThanOrEqual(3);
  });

  test('leaves a team that can be run on what was learnt', async () => {
    const team = new URL('team.ts', import.meta.url).pathname;
    const ask = ['run', team, 'Zoe writes:\nMy parcel is wet.', '--memory', 'support', '--principal', 'Zoe', '--quiet'];
    expect((await workspace.run(...ask)).stdout).toContain('The billing desk');
    const { waiting } = (await workspace.json('review', 'list', '--store', 'support')).document as { waiting: { id: string }[] };
    expect((await workspace.run('review', 'approve', ...waiting.map(({ id }) => id))).code).toBe(0);
    expect((await workspace.run(...ask)).stdout).toContain('The shipping desk');
  });

  test('is exported and imported whole', async () => {
    expect((await workspace.run('export', '--out', 'demo.jsonl')).code).toBe(0);
    expect((await workspace.json('import', 'demo.jsonl', '--format', 'dreamfold', '--data', 'copy')).code).toBe(0);
    const events = async (...data: string[]): Promise<number> => (await workspace.json('verify', ...data)).document.events as number;
    expect(await events('--data', 'copy')).toBe(await events());
    expect((await workspace.json('replay', '--data', 'copy')).document.differing).toEqual([]);
  });

  test('takes no arguments, and writes nothing when it is given some', async () => {
    const { code, document } = await workspace.json('demo', 'now', '--data', 'never');
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: 'invalid_argument' });
    expect(await workspace.run('sessions', '--data', 'never')).toMatchObject({ code: 2 });
  });
});
