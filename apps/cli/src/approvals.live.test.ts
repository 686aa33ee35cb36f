import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { PROGRAM, Workspace, type Running } from './testing/dreamfold-process.ts';

const workspace = new Workspace();
workspace.file(
  'shop.ts',
  `
import { agent, tool } from 'dreamfold';
import { z } from 'zod';
const input = z.object({ to: z.string().min(1), cents: z.number().int().positive(), reason: z.enum(['late', 'broken']).default('late'), note: z.string().optional() });
const pay = tool({
  name: 'pay', description: 'Pays.', input, effect: 'keyed', policy: 'always_ask',
  run: ({ to, cents, reason }) => ['paid', to, cents, reason].join(' '),
});
export default agent({ name: 'desk', system: 'Help.', tools: [pay] });
`,
);
afterAll(() => workspace.remove());

const script = (...inputs: unknown[]): string =>
  `@script ${JSON.stringify([...inputs.map((input) => ({ tool: 'pay', input })), { say: 'Done.' }])}`;
const PAY = script({ note: 'n'.repeat(480), to: 'ann', cents: 500 });
const DOWN = '\u001b[B';
const ENTER = '\r';
const CTRL_C = '\u0003';
const ASKED = /Allow it\?/;

let directories = 0;
/** A data directory of its own, as arguments. */
const fresh = (): string[] => ['--data', `d${(directories += 1)}`];

async function eventsOf(data: readonly string[]): Promise<{ id: string; events: any[] }> {
  const { document } = await workspace.json('sessions', ...data);
  const { id } = document.sessions[0];
  return { id, events: (await workspace.json('show', id, ...data)).document.events };
}

const ofType = (events: any[], type: string): any[] => events.filter((event) => event.type === type);
const screenOf = ({ stdout, stderr }: { stdout: string; stderr: string }): string => stripVTControlCharacters(`${stdout}${stderr}`);

/** Starts a run on a terminal, and waits until it asks. */
async function asking(
  data: readonly string[],
  { task = PAY, env = {} }: { task?: string; env?: Record<string, string> } = {},
): Promise<Running> {
  const run = workspace.onTerminal(['run', 'shop.ts', task, ...data], env);
  await run.noted(ASKED);
  return run;
}

describe('the question on a terminal', () => {
  test('shows every field, and all of it when asked; who allowed it is on the log', async () => {
    const data = fresh();
    const run = await asking(data, { env: { USER: 'ann' } });
    expect(run.stderr).toMatch(/desk wants to run pay:\n {2}to +"ann"\n {2}cents +500\n {2}reason +"late"\n {2}note +"nnn/);
    expect(run.stderr).toContain('(280 of 480 characters hidden)');
    run.type(`${DOWN}${DOWN}${DOWN}${ENTER}`);
    await run.noted(/(?:│ n{59,60}\n.*){5}[^]*Allow it\?/);
    run.type(`${DOWN}${ENTER}`);
    const { code, stdout } = await run.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('pay ← paid ann 500 late');
    const { events } = await eventsOf(data);
    expect(ofType(events, 'user.tool_confirmation')).toMatchObject([{ actor: 'person:ann', data: { result: 'allow' } }]);
    expect(ofType(events, 'user.message')).toMatchObject([{ actor: 'user' }]);
  });

  test('decides nothing on Enter alone, and ends with 5 and the commands that do', async () => {
    const data = fresh();
    const run = await asking(data);
    run.type(ENTER);
    const { code, stdout } = await run.ended;
    expect(code).toBe(5);
    const { id, events } = await eventsOf(data);
    expect(ofType(events, 'user.tool_confirmation')).toEqual([]);
    expect(stdout).toContain(`${PROGRAM} approve ${id} ${ofType(events, 'agent.tool_use')[0].id} --data "${data[1]}" --show`);
    expect(stdout).toContain(`then: ${PROGRAM} resume ${id} shop.ts`);
  });

  test('on Ctrl-C draws no answer and leaves the call waiting, and the run ends with 130', async () => {
    const data = fresh();
    const run = await asking(data);
    run.type(`${DOWN}${DOWN}`);
    await run.noted(/●\S* Deny/);
    run.type(CTRL_C);
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr.slice(ended.stderr.lastIndexOf('Allow it?'))).toContain('\u001b[2A\u001b[J');
    const { document } = await workspace.json('sessions', ...data);
    expect(document.sessions[0]).toMatchObject({ status: 'requires_action' });
  });

  test.each([
    ['approve', [], 0, /This call was decided elsewhere/],
    ['deny', ['--message', 'Too much.'], 0, /failed \(denied\) Too much\./],
    ['interrupt', [], 130, /failed \(interrupted\)/],
  ])('ends when somebody else says %s, and what is told is what came of it', async (...[verb, flags, expected, words]) => {
    const data = fresh();
    const run = await asking(data);
    const { id } = (await workspace.json('sessions', ...data)).document.sessions[0];
    expect((await workspace.run(verb, id, ...flags, ...data)).code).toBe(0);
    const ended = await run.ended;
    expect([ended.code, screenOf(ended)]).toEqual([expected, expect.stringMatching(words)]);
    expect(ended.stdout).not.toContain('It waits for a person');
    // The directory is free again.
    expect((await workspace.run('run', 'shop.ts', '@script [{"say":"Hi."}]', ...data)).code).toBe(0);
  });

  test('lets the input be changed in the editor; what does not fit is asked again', async () => {
    const data = fresh();
    const editor = (name: string, text: string): string => {
      const file = join(workspace.path, workspace.file(name, `#!/bin/sh\n${text}\n`));
      chmodSync(file, 0o755);
      return file;
    };
    // The first time cents are none, the second time fewer; then it lies in `seen`.
    const edit = `cp "$1" seen; if [ -e tried ]; then sed -i 's/500/400/' "$1"; else touch tried; sed -i 's/500/-1/' "$1"; fi`;
    const run = await asking(data, { task: script({ cents: 500, to: 'ann' }), env: { VISUAL: editor('edit.sh', edit), USER: 'bob' } });
    run.type(`${DOWN}${DOWN}${DOWN}${ENTER}`);
    await run.noted(/invalid_tool_input[^]*Allow it\?/);
    run.type(`${DOWN}${DOWN}${DOWN}${ENTER}`);
    const { code, stdout } = await run.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/person:bob approves sevt_\S+\n {2}changed cents: 500 → 400\n/);
    expect(stdout).toContain('pay ← paid ann 400 late');
    expect(workspace.lines('seen').slice(0, 5)).toEqual(['{', '  "to": "ann",', '  "cents": 500,', '  "reason": "late"', '}']);
    const { events } = await eventsOf(data);
    expect(ofType(events, 'agent.tool_use')[0].data.input).toEqual({ cents: 500, to: 'ann' });
    expect(ofType(events, 'user.tool_confirmation')[0].data.df_input).toEqual({ to: 'ann', cents: 400, reason: 'late' });
  });

  test('is not asked with --wait', async () => {
    const data = fresh();
    const run = workspace.onTerminal(['run', 'shop.ts', PAY, '--wait', ...data]);
    const [, id] = await run.said(/ approve (sesn_\w+) /);
    expect((await workspace.run('approve', id!, ...data)).code).toBe(0);
    const ended = await run.ended;
    expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringMatching(ASKED)]);
  });
});

describe('approve from another terminal', () => {
  async function waiting(task: string): Promise<{ data: string[]; id: string; call: string; stdout: string }> {
    const data = fresh();
    const { code, stdout } = await workspace.run('run', 'shop.ts', task, ...data);
    expect(code).toBe(5);
    const { id, events } = await eventsOf(data);
    return { data, id, call: ofType(events, 'agent.tool_use').at(-1).id, stdout };
  }

  test('sees the same call: in run, show and approve, and the whole of it with --show', async () => {
    const { data, id, stdout } = await waiting(PAY);
    const seen = /desk wants to run pay:[^]*?characters are not shown\./.exec(stdout)![0];
    expect(seen).toMatch(/to +"ann"\n +cents +500\n/);
    expect((await workspace.run('show', id, ...data)).stdout).toContain(seen);
    const whole = await workspace.run('approve', id, '--show', ...data);
    expect(whole.stdout).not.toContain('hidden');
    expect(whole.stdout.match(/n{59,60}/g)!.length).toBeGreaterThanOrEqual(8);
    expect((await workspace.json('approve', id, '--show', ...data)).document).toMatchObject({
      tool: 'pay',
      input: { to: 'ann', reason: 'late' },
    });
    const approved = await workspace.run('approve', id, ...data, '--by', 'ann');
    expect(approved.stdout).toMatch(/^Approved by person:ann: pay\n {2}to +"ann"\n {2}cents +500\n/);
  });

  test('gives another input with --input: it is checked, runs, and is told to the model', async () => {
    const { data, id, call } = await waiting(script({ to: 'ann', cents: 500 }));
    for (const [input, code] of [
      ['{"to":"ann"', 'invalid_json'],
      ['{"to":"ann","cents":-4,"reason":"late"}', 'invalid_tool_input'],
      ['{"to":"ann","cents":4}', 'invalid_tool_input'],
    ]) {
      expect(await workspace.json('approve', id, call, '--input', input!, ...data)).toMatchObject({
        code: 2,
        document: { error: { code } },
      });
    }
    const input = { to: 'ann', cents: 4, reason: 'broken' };
    const { stdout } = await workspace.run('approve', id, call, '--input', JSON.stringify(input), ...data);
    expect(stdout).toContain('  changed cents: 500 → 4\n  changed reason: "late" → "broken"\n');
    const { document } = await workspace.json('resume', id, 'shop.ts', ...data);
    expect(document).toMatchObject({ text: 'Done.', status: 'done' });
    expect((await workspace.run('show', id, ...data)).stdout).toContain('pay ← paid ann 4 broken');
    expect(await workspace.json('replay', id, '--verify', ...data)).toMatchObject({
      code: 0,
      document: { requests: { requests: 2, differing: [] } },
    });
  });

  test('is not asked about a call that does not fit: the model is told at once', async () => {
    const data = fresh();
    const { code, stdout } = await workspace.run('run', 'shop.ts', script({ to: 'ann', cents: -5 }), ...data);
    expect(code).toBe(0);
    expect(stdout).toContain('pay ← failed (invalid_tool_input)');
    expect(stdout).not.toContain('waits for approval');
  });

  test.each([
    ['approve', 'approve'],
    ['approve', 'deny'],
  ])('%s and %s at once: one wins, and the other is told', async (first, second) => {
    const { data, id, call } = await waiting(PAY);
    const ended = await Promise.all([
      workspace.json(first, id, call, '--by', 'ann', ...data),
      workspace.json(second, id, call, '--by', 'bob', ...data),
    ]);
    expect(new Set(ended.map(({ code }) => code))).toEqual(new Set([0, 2]));
    const lost = ended.find(({ code }) => code === 2)!;
    expect(lost.document.error.code).toBe('approval_already_used');
    const { events } = await eventsOf(data);
    expect(ofType(events, 'user.tool_confirmation')).toHaveLength(1);
    const won = ended.find(({ code }) => code === 0)!.document;
    expect(ofType(events, 'user.tool_confirmation')[0]).toMatchObject({ actor: won.by, data: { result: won.result } });
  });
});

describe('a run ends when its work is done', () => {
  const OPEN = `setInterval(() => {}, 1000);\n`;
  workspace.file(
    'open.ts',
    `${OPEN}
import { agent, rubric, tool } from 'dreamfold';
import { z } from 'zod';
const slow = tool({ name: 'slow', description: 'Takes long.', input: z.object({}), effect: 'pure', timeoutMs: 100, run: () => new Promise((resolve) => setTimeout(resolve, 60000)) });
const ask = tool({ name: 'ask', description: 'Asks.', input: z.object({}), policy: 'always_ask', run: () => 'x'.repeat(50000) });
export default agent({ name: 'desk', system: 'Help.', tools: [slow, ask] });
`,
  );
  workspace.file(
    'checked.ts',
    `import { agent, rubric } from 'dreamfold';
export default {
  lead: agent({ name: 'desk', system: 'Help.' }),
  rubric: rubric({ criteria: [{ id: 'slow', ask: 'Slow?', check: () => new Promise((resolve) => { console.error('checking'); setTimeout(resolve, 60000); }) }] }),
};`,
  );

  test('whatever a team file or a tool that took too long left open, with all that it has to say', async () => {
    const data = fresh();
    const run = await workspace.json(
      'run',
      'open.ts',
      '@script [{"tool":"slow","input":{}},{"tool":"ask","input":{}},{"say":"Done."}]',
      ...data,
    );
    expect(run.code).toBe(5);
    await workspace.run('approve', run.document.sessionId, ...data);
    const resumed = await workspace.json('resume', run.document.sessionId, 'open.ts', ...data);
    expect(resumed).toMatchObject({ code: 0, document: { text: 'Done.' } });
    expect((await workspace.json('show', run.document.sessionId, ...data)).document.events.length).toBeGreaterThan(10);
  });

  test('also after Ctrl-C while something slow judges', async () => {
    const run = workspace.start(['run', 'checked.ts', 'Hello', ...fresh()]);
    await run.noted(/checking/);
    run.kill('SIGINT');
    const { code } = await run.ended;
    expect(code).toBe(130);
  });

  test('and a worker when it is told to end', async () => {
    const worker = workspace.start(['worker', 'open.ts', ...fresh()]);
    await worker.noted(/Waiting for sessions/);
    worker.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });
});
