// An interrupt at every event of a session with a team, while 20 others run beside it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LogEvent } from '@dreamfold/events';
import {
  agent,
  open,
  scripted,
  tool,
  type AgentDefinition,
  type Dreamfold,
  type ModelRequest,
  type ScriptedAnswer,
  type Session,
} from './index.ts';
import { brokenHistory, collect, orphans } from './testing/history.ts';
import { temporaryDirectory } from './testing/log-fixtures.ts';

const BYSTANDERS = 20;

/** What was started, by the principal that it was started for. */
class Starts {
  readonly #counts = new Map<string, number>();
  add(principal: string): void {
    this.#counts.set(principal, this.of(principal) + 1);
  }
  of(principal: string): number {
    return this.#counts.get(principal) ?? 0;
  }
}

function team(starts: Starts, principal: string): AgentDefinition {
  const model = scripted((request) => {
    starts.add(principal);
    return answer(request);
  });
  const look = (policy: 'always_allow' | 'always_ask'): ReturnType<typeof tool> =>
    tool({
      name: 'look',
      description: 'Looks.',
      input: z.object({ at: z.string() }),
      effect: 'pure',
      policy,
      run: async ({ at }, { signal }) => {
        starts.add(principal);
        await sleep(1, undefined, { signal });
        return `saw ${at}`;
      },
    });
  const researcher = agent({ name: 'researcher', system: 'researcher', model, tools: [look('always_allow')] });
  const clerk = agent({ name: 'clerk', system: 'clerk', model, tools: [look('always_allow')], team: [researcher] });
  return agent({ name: 'lead', system: 'lead', model, tools: [look('always_ask')], team: [researcher, clerk] });
}

/** The lead asks both at once, the clerk asks a researcher of its own, and the lead looks for itself, if a person agrees. */
async function answer({ system, messages }: ModelRequest): Promise<ScriptedAnswer> {
  await sleep(system.length % 3);
  const turn = messages.filter((message) => message.role === 'assistant').length;
  const look = { tool: 'look', input: { at: `${system} ${turn}` } };
  const ask = (name: string): { tool: string; input: unknown } => ({ tool: 'delegate', input: { agent: name, message: 'Find out.' } });
  if (JSON.stringify(messages.at(-1)).includes('again')) return 'Again.';
  const turns: Record<string, ScriptedAnswer[]> = {
    lead: [[ask('researcher'), ask('clerk')], look],
    researcher: [[look, look]],
    clerk: [ask('researcher'), look],
  };
  return turns[system]?.[turn] ?? 'Done.';
}

async function finish(session: Session): Promise<string> {
  for (;;) {
    const { stopReason, text } = await session.done();
    if (stopReason.type !== 'requires_action') return text;
    for (const id of stopReason.event_ids) await session.approve(id).catch(() => {});
  }
}

interface Interrupted {
  session: Session;
  events: LogEvent[];
  /** Calls that were started after the interrupt was acknowledged. */
  startedAfter: number;
  bystanders: string[];
}

/** Runs the session and its bystanders, and interrupts it at its `at`th event. @param who the thread, of what has happened so far */
async function run(df: Dreamfold, at: number, who: (events: readonly LogEvent[]) => string | undefined): Promise<Interrupted> {
  const starts = new Starts();
  const others = Array.from({ length: BYSTANDERS }, async (_, i) =>
    finish(await df.run(team(starts, `other${i}`), 'Begin.', { principal: `other${i}` })),
  );
  const session = await df.run(team(starts, 'mine'), 'Begin.');
  const events: LogEvent[] = [];
  let acknowledged: Promise<number> | undefined;
  session.on('event', (event) => {
    events.push(event);
    if (events.length === at) acknowledged = session.interrupt(who(events)).then(() => starts.of('mine'));
  });
  await finish(session);
  const startedBefore = (await acknowledged) ?? 0;
  await finish(session);
  return {
    session,
    events: await collect(df.events(session.id)),
    startedAfter: starts.of('mine') - startedBefore,
    bystanders: await Promise.all(others),
  };
}

/** A few at once: most of each is waiting. */
async function sideBySide(points: readonly number[], check: (at: number) => Promise<void>): Promise<void> {
  const left = [...points];
  const work = async (): Promise<void> => {
    for (let at = left.shift(); at !== undefined; at = left.shift()) await check(at);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

const df = await open();
const length = (await run(df, 0, () => undefined)).events.length;
const everyEvent = Array.from({ length }, (_, i) => i + 1);

describe('an interrupt of the whole session', () => {
  test(`at each of its ${length} events starts nothing more, leaves no open call, and hits no bystander`, async () => {
    let interrupted = 0;
    await sideBySide(everyEvent, async (at) => {
      const { session, events, startedAfter, bystanders } = await run(df, at, () => undefined);
      const got = {
        at,
        startedAfter,
        orphans: orphans(events),
        broken: brokenHistory(session.state),
        hit: bystanders.filter((text) => text !== 'Done.'),
      };
      expect(got).toEqual({ at, startedAfter: 0, orphans: [], broken: [], hit: [] });
      expect(session.state).toMatchObject({ status: 'idle', queue: [], stopReason: { type: 'end_turn' } });
      expect(session.state.threads.filter((thread) => thread.running || thread.interrupted)).toEqual([]);
      if (events.some((event) => event.type === 'user.interrupt')) interrupted += 1;
      // It is stopped, not dead.
      await session.send('again');
      expect(await finish(session)).toBe('Again.');
      expect(brokenHistory(session.state)).toEqual([]);
    });
    // All but the events of the last append, with which the session is idle.
    expect(interrupted).toBeGreaterThanOrEqual(length - 5);
  });
});

describe('an interrupt of one thread', () => {
  const clerkOf = (events: readonly LogEvent[]): string | undefined =>
    events.flatMap(({ type, data }) => {
      const created = data as { agent_name: string; session_thread_id: string };
      return type === 'session.thread_created' && created.agent_name === 'clerk' ? [created.session_thread_id] : [];
    })[0];

  test('stops it and what is under it; its siblings finish, and its parent is told that it did not', async () => {
    const first = (await run(df, 0, () => undefined)).events.findIndex(
      (event) => event.type === 'session.thread_status_running' && event.actor !== 'system',
    );
    let told = 0;
    await sideBySide(everyEvent.slice(first + 8), async (at) => {
      const { session, events, bystanders } = await run(df, at, clerkOf);
      expect({ at, orphans: orphans(events), broken: brokenHistory(session.state) }).toEqual({ at, orphans: [], broken: [] });
      expect(bystanders.filter((text) => text !== 'Done.')).toEqual([]);
      const reports = events.flatMap(({ type, data }) => {
        const report = data as { from_agent_name: string; df_is_error?: boolean; content: [{ text: string }] };
        return type === 'agent.thread_message_received'
          ? [{ from: report.from_agent_name, failed: report.df_is_error === true, text: report.content[0].text }]
          : [];
      });
      const clerk = reports.find((report) => report.from === 'clerk')!;
      expect(reports.filter((report) => report.from === 'researcher' && !report.failed).length).toBeGreaterThanOrEqual(1);
      if (clerk.failed) told += 1;
      expect(clerk).toMatchObject(clerk.failed ? { text: 'clerk did not finish (interrupted).' } : { text: 'Done.' });
      expect(session.state.threads[0]!.lastMessage!.text).toBe('Done.');
    });
    expect(told).toBeGreaterThan(10);
  });

  test('that does not exist is refused', async () => {
    const session = await df.run(agent({ name: 'lead', system: '' }), 'hello');
    await session.done();
    await expect(session.interrupt('sthr_none')).rejects.toMatchObject({ code: 'not_found', path: 'thread' });
  });
});

describe('another process', () => {
  test('interrupts a session that runs here', async () => {
    const directory = temporaryDirectory();
    const here = await open({ directory });
    let aborted = false;
    const wait = tool({
      name: 'wait',
      description: 'Waits.',
      input: z.object({}),
      run: (_, { signal }) => {
        signal.addEventListener('abort', () => (aborted = true));
        return sleep(60_000, 'over', { signal });
      },
    });
    const session = await here.run(
      agent({ name: 'lead', system: '', tools: [wait] }),
      '@script [{"tool":"wait","input":{}},{"say":"done"}]',
    );
    const program = `
      import { open } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const df = await open({ directory: ${JSON.stringify(directory)} });
      if (!(await df.interrupt(${JSON.stringify(session.id)}))) process.exit(1);
      await df.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'inherit', 'inherit'] });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(0);
    await session.done();
    expect(aborted).toBe(true);
    expect(orphans(await collect(here.events(session.id)))).toEqual([]);
    await here.close();
  });
});
