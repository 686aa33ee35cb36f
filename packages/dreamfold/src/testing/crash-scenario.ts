// A program that is killed: `node crash-scenario.ts DIRECTORY [POINT]`. It runs one session in the directory, or goes on with the one
// that it finds there, and prints what became of it. At POINT it kills itself with SIGKILL:
//   before:N after:N   its Nth append        start:TOOL effect:TOOL   a tool, before and after it took effect        model:N   its Nth model call
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isDreamfoldError } from '@dreamfold/events';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import {
  agent,
  open,
  rubric,
  scripted,
  tool,
  type AgentDefinition,
  type Dreamfold,
  type ModelRequest,
  type ScriptedAnswer,
  type Session,
} from '../index.ts';
import { canonicalSession } from './canonical-session.ts';
import { brokenHistory, collect, orphans } from './history.ts';
import { countedAppends, hookedLog } from './hooked-log.ts';

export interface CrashReport {
  canonical: string;
  /** Appends of this process. */
  appends: number;
  /** The `effect` of every tool run so far, in all processes: `tool key`. */
  effects: string[];
  /** Digests of the requests that the model got so far, in all processes. */
  asked: string[];
  /** Answers on the log. */
  answered: number;
  /** Attempts on the log that a restart ended. */
  restarted: number;
  /** Results on the log that say that nobody knows. */
  unknown: string[];
  approvals: { confirmed: number; started: number };
  /** Whom the mails went to, in all processes: the model names one address, and the person who approves another. */
  mailed: string[];
  problems: string[];
}

const [directory = '', point = ''] = process.argv.slice(2);
const file = (name: string): string => join(directory, name);
const lines = (name: string): string[] => (existsSync(file(name)) ? readFileSync(file(name), 'utf8').trimEnd().split('\n') : []);

function here(at: string): void {
  if (at === point) process.kill(process.pid, 'SIGKILL');
}

function took(name: string, key: string): void {
  here(`start:${name}`);
  appendFileSync(file('effects'), `${name} ${key}\n`);
  here(`effect:${name}`);
}

let calls = 0;
type Policy = (said: readonly string[]) => ScriptedAnswer;
const policies: Readonly<Record<string, Policy>> = {
  lead: (said) => {
    if (said.length === 0) return [delegate('researcher', 'Find out about order 7.'), delegate('clerk', 'Pay order 7 back.')];
    if (said.length === 1)
      return { tool: 'send_mail', input: { to: 'ann@example.com', decision: { confidence: 0.8, reason: 'She asked for it.' } } };
    return said.length === 2 ? 'Done.' : 'Done: order 7 was paid back, and Ann knows.';
  },
  researcher: (said) => (said.length < 2 ? { tool: 'look_up', input: { page: said.length } } : 'Order 7 was late.'),
  clerk: (said) => (said.length === 0 ? { tool: 'refund', input: { order: 7 } } : 'Paid back.'),
};

const delegate = (name: string, message: string): { tool: string; input: unknown } => ({
  tool: 'delegate',
  input: { agent: name, message },
});

async function answer(request: ModelRequest): Promise<ScriptedAnswer> {
  calls += 1;
  const mine = calls;
  appendFileSync(file('asked'), `${Buffer.from(JSON.stringify([request.system, request.messages.length])).toString('base64url')}\n`);
  // Long enough for the specialists to overlap, and different for each.
  await sleep(request.system.length % 4);
  here(`model:${mine}`);
  const said = request.messages.filter((message) => message.role === 'assistant').map(({ content }) => JSON.stringify(content));
  const policy = policies[request.system];
  if (policy === undefined) throw new TypeError(`no policy for ${request.system}`);
  return policy(said);
}

function team(): AgentDefinition {
  const model = scripted(answer);
  const lookUp = tool({
    name: 'look_up',
    description: 'Looks up a page.',
    input: z.object({ page: z.number() }),
    effect: 'pure',
    run: ({ page }, { idempotencyKey }) => {
      took('look_up', idempotencyKey);
      return `page ${page}`;
    },
  });
  const refund = tool({
    name: 'refund',
    description: 'Pays back.',
    input: z.object({ order: z.number() }),
    effect: 'keyed',
    policy: 'always_ask',
    run: ({ order }, { idempotencyKey }) => {
      took('refund', idempotencyKey);
      return { order, paid: true };
    },
  });
  const sendMail = tool({
    name: 'send_mail',
    description: 'Sends a mail.',
    input: z.object({ to: z.string() }),
    effect: 'unsafe',
    policy: 'always_ask',
    run: ({ to }, { idempotencyKey }) => {
      appendFileSync(file('mailed'), `${to}\n`);
      took('send_mail', idempotencyKey);
      return 'sent';
    },
  });
  const researcher = agent({ name: 'researcher', system: 'researcher', model, tools: [lookUp] });
  const clerk = agent({ name: 'clerk', system: 'clerk', model, tools: [refund] });
  return agent({ name: 'lead', system: 'lead', model, tools: [sendMail], team: [researcher, clerk] });
}

const wanted = rubric({ criteria: [{ id: 'says-what', ask: 'Says what was done.', check: ({ text }) => text.includes('order 7') }] });

async function begin(df: Dreamfold): Promise<Session> {
  for await (const id of df.sessions()) return df.resume(team(), id, { rubric: wanted });
  return df.run(team(), 'Take care of order 7.', { rubric: wanted, idempotencyKey: 'order-7' });
}

/** One call is approved as it is, by the process that runs the session; the other with another input, as from another process. */
async function finish(df: Dreamfold, session: Session): Promise<void> {
  for (;;) {
    const { stopReason } = await session.done();
    if (stopReason.type !== 'requires_action') return;
    for (const id of stopReason.event_ids) {
      const mails = session.state.threads.some(({ calls }) => calls.some((call) => call.id === id && call.name === 'send_mail'));
      const approved = mails
        ? df.confirm(session.id, { toolUseId: id, result: 'allow', by: 'bob', input: { to: 'bob@example.com' } })
        : session.approve(id, { by: 'bob' });
      await approved.catch((error: unknown) => {
        if (!isDreamfoldError(error, 'approval_already_used')) throw error;
      });
    }
  }
}

const appends = countedAppends(here);
const log = hookedLog(await openSqliteLog({ directory }), appends.hook);
const df = await open({ log });
const session = await begin(df);
await finish(df, session);
const state = await df.session(session.id);
const events = await collect(df.events(session.id));
const ofType = (type: string): typeof events => events.filter((event) => event.type === type);
const report: CrashReport = {
  canonical: canonicalSession(state, (name) => name === 'send_mail'),
  appends: appends.count(),
  effects: lines('effects'),
  asked: lines('asked'),
  answered: ofType('span.model_request_end').length,
  restarted: ofType('model.attempt_failed').filter(({ data }) => (data as { code: string }).code === 'process_restarted').length,
  unknown: ofType('agent.tool_result')
    .filter(({ data }) => (data as { df_code?: string }).df_code === 'tool_outcome_unknown')
    .map(({ data }) => (data as { tool_use_id: string }).tool_use_id),
  mailed: lines('mailed'),
  approvals: { confirmed: ofType('user.tool_confirmation').length, started: ofType('tool.started').length },
  problems: [
    ...orphans(events),
    ...brokenHistory(state),
    ...(await log.archive.verify()).problems.map(({ problem }) => problem),
    ...(JSON.stringify(state) === JSON.stringify(session.state) ? [] : ['the state in memory is not the one on the log']),
  ],
};
await df.close();
process.stdout.write(JSON.stringify(report));
