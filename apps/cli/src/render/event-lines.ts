import { knownEvent, type Content, type JsonSchema, type KnownEvent, type LogEvent, type TeamSnapshot } from '@dreamfold/events';
import { DELEGATE_TOOL, leadThreadId } from '@dreamfold/core';
import { callLine, changeLines } from './call-view.ts';
import { counted } from './counted.ts';
import { contentLines } from './content-lines.ts';
import type { Io } from '../io.ts';
import { oneLine } from './printable.ts';

const TEXT_CHARS = 400;
const INPUT_CHARS = 160;

interface ThreadName {
  agent: string;
  depth: number;
}

type Paint = Io['paint'];

/**
 * Tells a session's events to people, a line each, indented by the depth of the thread. It remembers the names of threads and
 * calls, so give it the events from the first one on.
 */
export class EventLines {
  readonly #paint: Paint;
  readonly #threads = new Map<string, ThreadName>();
  readonly #calls = new Map<string, { name: string; input: unknown }>();
  #team: TeamSnapshot = { lead: '', agents: [] };

  constructor(io: Pick<Io, 'paint'>) {
    this.#paint = io.paint.bind(io);
  }

  /** @returns the lines of the event; none for one that says nothing to people */
  of(event: LogEvent): string[] {
    const known = knownEvent(event);
    const indent = '  '.repeat(this.#threads.get(event.actor)?.depth ?? 0);
    const lines =
      known === null
        ? [`${event.type} version ${event.v}: newer than this Dreamfold`]
        : known.data === null
          ? [`${known.type}: its payload was erased`]
          : this.#tell(known);
    // What is written is escaped by `Io`; that each is one line is decided here.
    return lines.map((line) => `${indent}${line.replaceAll(/[\n\t]/g, ' ')}`);
  }

  // oxlint-disable-next-line max-lines-per-function -- a table of one case an event type
  #tell(event: KnownEvent): string[] {
    switch (event.type) {
      case 'session.created': {
        const { lead } = event.data.team;
        this.#team = event.data.team;
        this.#threads.set(leadThreadId(event.stream.slice('session/'.length)), { agent: lead, depth: 0 });
        return [];
      }
      case 'session.thread_created': {
        const depth = (this.#threads.get(event.data.df_parent_thread_id)?.depth ?? 0) + 1;
        this.#threads.set(event.data.session_thread_id, { agent: event.data.agent_name, depth });
        return [];
      }
      case 'user.message':
        return told(`${this.#paint('cyan', 'user')}:`, event.data.content);
      case 'user.define_outcome': {
        const { description, df_criteria, df_pass_score } = event.data;
        const criteria = df_criteria.map((c) => c.id).join(', ');
        return [
          `${this.#paint('cyan', 'user')}: ${oneLine(description, TEXT_CHARS)} ${this.#paint('dim', `(rubric: ${criteria}; pass ${df_pass_score})`)}`,
        ];
      }
      case 'agent.message':
        return told(`${this.#agent(event)}:`, event.data.content);
      case 'agent.thinking':
        return contentLines(event.data.df_content, TEXT_CHARS)
          .slice(1)
          .map((line) => this.#paint('dim', line));
      case 'agent.tool_use': {
        const { name, input: given, df_parsed_input, evaluated_permission } = event.data;
        const input = df_parsed_input ?? given;
        this.#calls.set(event.id, { name, input });
        // The message to the specialist tells the delegation.
        if (name === DELEGATE_TOOL && evaluated_permission === 'allow') return [];
        const ask = evaluated_permission === 'ask' ? this.#paint('yellow', ` waits for approval: ${event.id}`) : '';
        return [`${this.#agent(event)} → ${oneLine(name, 64)} ${callLine(input, this.#schemaOf(event.actor, name))}${ask}`];
      }
      case 'agent.tool_result': {
        const { content, is_error, df_code, tool_use_id } = event.data;
        const name = oneLine(this.#calls.get(tool_use_id)?.name ?? 'tool', 64);
        const failed = is_error === true ? this.#paint('red', ` failed${df_code === undefined ? '' : ` (${df_code})`}`) : '';
        return told(`  ${name} ←${failed}`, content);
      }
      case 'agent.thread_message_sent':
        return told(`${this.#agent(event)} ⇒ ${this.#name(event.data.to_agent_name)}:`, event.data.content);
      case 'agent.thread_message_received': {
        const failed = event.data.df_is_error === true ? this.#paint('red', ' (did not finish)') : '';
        return told(`${this.#agent(event)} ⇐ ${this.#name(event.data.from_agent_name)}${failed}:`, event.data.content);
      }
      case 'decision.recorded': {
        const { confidence, reason } = event.data;
        const sure = confidence === undefined ? 'decided' : `sure ${confidence.toFixed(2)}`;
        return [this.#paint('dim', `  ${sure}${reason === undefined ? '' : `: ${oneLine(reason, TEXT_CHARS)}`}`)];
      }
      case 'model.attempt_failed': {
        const { attempt, code, message, retry_after_ms } = event.data;
        const next = retry_after_ms === null ? 'gave up' : `again in ${(retry_after_ms / 1000).toFixed(1)} s`;
        return [
          `${this.#agent(event)} ${this.#paint('yellow', `attempt ${attempt} failed (${code})`)}: ${oneLine(message, TEXT_CHARS)}; ${next}`,
        ];
      }
      case 'outcome.scored':
        return [
          `${this.#paint('magenta', 'score')} ${event.data.score.toFixed(2)}`,
          ...event.data.criteria.map(
            (c) => `  ${c.id} ${c.score.toFixed(2)} ${this.#paint('dim', `by ${oneLine(c.grader, 64)}`)}: ${oneLine(c.reason, TEXT_CHARS)}`,
          ),
        ];
      case 'span.outcome_evaluation_end':
        return [
          `${this.#paint('magenta', 'rubric')} ${event.data.result.replaceAll('_', ' ')}: ${oneLine(event.data.explanation, TEXT_CHARS)}`,
        ];
      case 'outcome.imported': {
        const { score, source, reason } = event.data;
        const why = reason === undefined ? '' : `: ${oneLine(reason, TEXT_CHARS)}`;
        return [`${this.#paint('magenta', 'score')} ${score.toFixed(2)} (${oneLine(source, 64)})${why}`];
      }
      case 'outcome.judged':
        return [
          `${oneLine(event.data.by, 64)} scores ${event.data.criterion_id} ${event.data.score.toFixed(2)}: ${oneLine(event.data.reason, TEXT_CHARS)}`,
        ];
      case 'feedback.recorded': {
        const { by, class: labeller, verdict, right_answer, reason, judges } = event.data;
        const who = `${oneLine(by, 64)}${labeller === undefined ? '' : ` (${labeller})`}`;
        const right = right_answer === undefined ? '' : `, right is ${oneLine(JSON.stringify(right_answer), INPUT_CHARS)}`;
        const why = reason === undefined ? '' : `: ${oneLine(reason, TEXT_CHARS)}`;
        return [`${this.#paint('magenta', 'feedback')} of ${who} on ${judges}: ${verdict}${right}${why}`];
      }
      case 'session.event_skipped':
        return [`${oneLine(event.data.by, 64)} passes over ${event.data.event}: ${oneLine(event.data.reason, TEXT_CHARS)}`];
      default:
        return this.#tellRest(event);
    }
  }

  #tellRest(event: KnownEvent): string[] {
    switch (event.type) {
      case 'log.erased': {
        const { events, reason, by } = event.data;
        return [`${counted(events.length, 'payload')} erased${by === undefined ? '' : ` by ${by}`}: ${oneLine(reason, TEXT_CHARS)}`];
      }
      case 'user.tool_confirmation': {
        const { result, tool_use_id, df_input } = event.data;
        const call = this.#calls.get(tool_use_id);
        const changes = df_input === undefined ? [] : changeLines(call?.input, df_input);
        return [
          `${oneLine(event.actor, 64)} ${result === 'allow' ? 'approves' : 'denies'} ${tool_use_id}`,
          ...changes.map((line) => `  ${line}`),
        ];
      }
      case 'user.interrupt':
        return [this.#paint('yellow', 'interrupted')];
      case 'approval.stale':
        return [this.#paint('yellow', `asked again: ${event.data.reason} (${event.data.tool_use_id})`)];
      case 'cap.reached':
        return [this.#paint('yellow', `cap ${event.data.cap} = ${event.data.limit} reached (at ${event.data.value})`)];
      case 'session.error':
        return [this.#paint('red', `${event.data.error.type}: ${oneLine(event.data.error.message, TEXT_CHARS)}`)];
      case 'session.team_updated':
        this.#team = event.data.team;
        return [this.#paint('yellow', `goes on with a changed team (${event.data.changed_tools.length} tools changed)`)];
      case 'agent.thread_context_compacted':
        return [this.#paint('dim', `${this.#agent(event)} was compacted at ${event.data.df_tokens_before} tokens`)];
      case 'session.thread_status_idle':
        return event.data.stop_reason.type === 'end_turn' ? [] : [`${this.#agent(event)} stopped: ${event.data.stop_reason.type}`];
      default:
        return [];
    }
  }

  #schemaOf(thread: string, tool: string): JsonSchema | undefined {
    const name = this.#threads.get(thread)?.agent;
    return this.#team.agents.find((agent) => agent.name === name)?.tools.find((one) => one.name === tool)?.input_schema;
  }

  #agent(event: KnownEvent): string {
    return this.#name(this.#threads.get(event.actor)?.agent ?? event.actor);
  }

  #name(agent: string): string {
    return this.#paint('bold', oneLine(agent, 64));
  }
}

/** What somebody said: its text beside who says it, and a line for each block that is none. */
function told(who: string, content: Content): string[] {
  const [text, ...blocks] = contentLines(content, TEXT_CHARS);
  return [`${who} ${text}`, ...blocks];
}
