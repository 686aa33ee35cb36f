import type { Command } from 'commander';
import { agentOf, type SessionState } from '@dreamfold/core';
import { DreamfoldError, type Dreamfold, type RequestsReport } from 'dreamfold';
import { counted } from '../render/counted.ts';
import { withData } from '../data-directory.ts';
import { defineCommand, wholeNumber } from '../define-command.ts';
import { EXIT } from '../exit-code.ts';
import { callsText } from '../session/drive-session.ts';
import { findSession } from '../session/find-session.ts';
import { gather } from '../session/gather.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../render/printable.ts';
import { sessionRow } from '@dreamfold/views';
import { scoreText } from '../render/score-text.ts';

interface ReplayFlags {
  at?: number;
  verify?: true;
}

export function register(program: Command, io: Io): void {
  defineCommand(program, {
    usage: 'replay [session]',
    summary: 'the state that the log leads to, at any event',
    description:
      'Folds the events of SESSION and shows the state that they lead to: threads, open calls, usage. No model and no tool is called. --verify renders every model request again from the log and compares it with the digest that was recorded. Without SESSION, all sessions are replayed and verified.',
    examples: ['replay sesn_4k2', 'replay sesn_4k2 --at 12', 'replay sesn_4k2 --verify', 'replay'],
  })
    .option('--at <n>', 'as it was after event N', wholeNumber(1))
    .option('--verify', 'check the recorded request digests as well')
    .action((prefix: string | undefined, flags: ReplayFlags, command: Command) =>
      withData(command, { io, readOnly: true }, (dreamfold) =>
        prefix === undefined ? replayAll(dreamfold, flags, io) : replayOne(dreamfold, { prefix, ...flags }, io),
      ),
    );
}

async function replayOne(dreamfold: Dreamfold, { prefix, at, verify }: ReplayFlags & { prefix: string }, io: Io): Promise<void> {
  const id = await findSession(dreamfold, prefix);
  const state = await dreamfold.session(id, at);
  if (at !== undefined && state.seq < at) {
    throw new DreamfoldError('invalid_argument', `${id} has ${state.seq} events, so there is no event ${at}`, {
      path: '--at',
      value: at,
      remedy: `Give a number from 1 to ${state.seq}.`,
    });
  }
  const requests = verify === true ? await dreamfold.verifyRequests(id, at) : null;
  const view = viewOf(state);
  io.document({ ...view, ...(requests === null ? {} : { requests }) });
  if (!io.json) printState(view, io);
  if (requests !== null) printRequests(id, requests, io);
}

async function replayAll(dreamfold: Dreamfold, { at }: ReplayFlags, io: Io): Promise<void> {
  if (at !== undefined) {
    throw new DreamfoldError('invalid_argument', '--at needs a session', {
      path: '--at',
      value: at,
      remedy: 'Name the session: `dreamfold replay SESSION --at N`.',
    });
  }
  const ids = await gather(dreamfold.sessions());
  const bar = io.progress('replaying');
  const totals = { sessions: 0, events: 0, requests: 0, differing: [] as { session: string; seq: number }[] };
  for (const id of ids) {
    const { seq } = await dreamfold.session(id);
    const { requests, differing } = await dreamfold.verifyRequests(id);
    totals.sessions += 1;
    totals.events += seq;
    totals.requests += requests;
    totals.differing.push(...differing.map((d) => ({ session: id, seq: d.seq })));
    bar.update(totals.sessions, ids.length);
  }
  bar.stop();
  io.document(totals);
  io.line(
    `Replayed ${counted(totals.sessions, 'session')}, ${counted(totals.events, 'event')}; ` +
      `${counted(totals.requests, 'model request')} rendered again, of which ${totals.differing.length} differ.`,
  );
  for (const { session, seq } of totals.differing) io.line(`  ${session} event ${seq}`);
  if (totals.differing.length > 0) io.exitCode = EXIT.store;
}

function printRequests(id: string, { requests, differing }: RequestsReport, io: Io): void {
  io.line(`${requests} model requests rendered again from the log, ${differing.length} differ.`);
  for (const { seq } of differing) io.line(`  ${id} event ${seq} was sent with another request than the log gives`);
  if (differing.length > 0) io.exitCode = EXIT.store;
}

/** The state as it is shown: what a person asks of it, without the messages in full. */
function viewOf(state: SessionState) {
  return {
    at: state.seq,
    session: sessionRow(state),
    epoch: state.epoch,
    threads: state.threads.map((thread) => ({
      id: thread.id,
      agent: agentOf(state, thread.agent)?.name ?? thread.agent,
      parent: thread.parent,
      depth: thread.depth,
      running: thread.running,
      asking: thread.request !== null,
      messages: thread.messages.length,
      contextTokens: thread.contextTokens,
      openCalls: thread.calls
        .filter((call) => call.status !== 'closed')
        .map(({ id, name, input, status }) => ({ id, name, input, status })),
      lastMessage: thread.lastMessage?.text ?? null,
    })),
    queued: state.queue.length,
    outcome: state.outcome,
    usage: state.usage,
    capReached: state.capReached,
    feedback: state.feedback,
  };
}

function printState(view: ReturnType<typeof viewOf>, io: Io): void {
  const { session, threads, usage } = view;
  io.line(
    `${io.paint('bold', session.id)} after event ${view.at}: ${session.status}, epoch ${view.epoch}, score ${scoreText(session.score)}`,
  );
  for (const thread of threads) {
    const doing = thread.asking ? 'asks its model' : thread.openCalls.length > 0 ? 'waits for its calls' : thread.running ? 'runs' : 'idle';
    io.line(
      `${'  '.repeat(thread.depth + 1)}${io.paint('bold', oneLine(thread.agent, 64))} ${doing}, ${counted(thread.messages, 'message')} (${thread.id})`,
    );
    const indent = '  '.repeat(thread.depth + 2);
    for (const call of thread.openCalls)
      io.line(`${indent}${oneLine(call.name, 64)} ${call.status}: ${oneLine(JSON.stringify(call.input) ?? '', 160)}`);
    if (thread.lastMessage !== null) io.line(`${indent}${io.paint('dim', oneLine(thread.lastMessage, 200))}`);
  }
  const tokens = usage.input_tokens + usage.output_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  io.line(`${counted(tokens, 'token')}, ${callsText(usage)}; ${counted(view.queued, 'message')} queued, ${view.feedback.length} feedback`);
}
