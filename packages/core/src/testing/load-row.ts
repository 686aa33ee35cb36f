import { checkPayload, EVENT_VERSION, eventId, type EventType, type NewEvent } from '@dreamfold/events';
import type { ImportedSession, ImportOptions } from '../import/imported-session.ts';
import { parseMessagesLine } from '../import/messages.ts';
import { textDigest } from './given-session.ts';

/** A row of the format messages as what it becomes, each payload checked. */
export class LoadedRow {
  readonly session: ImportedSession;

  constructor(row: unknown, options: Partial<ImportOptions> = {}) {
    const session = parseMessagesLine(JSON.stringify(row), 1, { source: 'runs.jsonl', sha256: textDigest, ...options });
    if (session === null) throw new TypeError('the row is blank');
    this.session = session;
    for (const { type, data } of this.events) checkPayload(type, EVENT_VERSION[type as EventType], data);
  }

  get events(): NewEvent[] {
    return this.session.appends.flatMap((append) => append.events);
  }

  get notes(): string[] {
    return this.session.notes.map(({ path, note }) => `${path.replace('runs.jsonl:1/', '')}: ${note}`);
  }

  /** The payloads of one type. */
  dataOf(type: string): any[] {
    return this.events.flatMap((event) => (event.type === type ? [event.data] : []));
  }

  /** The ids that the log will give the events, of one type or of any. */
  idsOf(type?: string): string[] {
    return this.session.appends.flatMap(({ id, events }) =>
      events.flatMap((event, i) => (type === undefined || event.type === type ? [eventId(id, i)] : [])),
    );
  }

  /** Who said and did what: `user: Hi`, `agent: Hello`, `agent → route {…}`, `route ← routed`. */
  get story(): string[] {
    const calls = new Map(this.idsOf('agent.tool_use').map((id, i) => [id, this.dataOf('agent.tool_use')[i].name as string]));
    const [lead] = this.dataOf('session.created');
    const names = new Map(this.dataOf('session.thread_created').map((t) => [t.session_thread_id as string, t.agent_name as string]));
    return this.events.flatMap(({ type, actor, data }) => {
      const who = names.get(actor) ?? (lead.team.lead as string);
      const { name, input, content, tool_use_id, is_error } = data as Record<string, any>;
      if (type === 'user.message') return [`user: ${content[0].text}`];
      if (type === 'agent.message') return [`${who}: ${content[0].text}`];
      if (type === 'agent.tool_use') return [`${who} → ${name} ${JSON.stringify(input)}`];
      return type === 'agent.tool_result'
        ? [`${who} ${calls.get(tool_use_id)} ←${is_error === true ? ' failed' : ''} ${content[0].text}`]
        : [];
    });
  }
}
