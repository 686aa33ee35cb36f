import type { SessionCreated } from '@dreamfold/events';
import { eventId, type AgentToolUse, type FeedbackRecorded } from '@dreamfold/events';
import type { ImportedSession } from '@dreamfold/core';
import { enumeratedFields } from '@dreamfold/dreaming';

interface Labelled {
  calls: number;
  /** The tool has a schema, and no field of it takes one of a few values. */
  hasSchema: boolean;
}

/**
 * Counts the calls that somebody has judged and that no dream can learn from: what was right of them is known, but not which values their tool
 * takes.
 */
export class UnteachingCalls {
  readonly #tools = new Map<string, Labelled>();

  add({ appends }: ImportedSession): void {
    const schemas = new Map<string, Record<string, unknown>>();
    const called = new Map<string, string>();
    for (const { id, events } of appends) {
      for (const [i, { type, data }] of events.entries()) {
        if (type === 'session.created') {
          for (const agent of (data as SessionCreated).team.agents)
            for (const tool of agent.tools) schemas.set(tool.name, tool.input_schema);
        } else if (type === 'agent.tool_use') called.set(eventId(id, i), (data as AgentToolUse).name);
        else if (type === 'feedback.recorded') this.#judged(called.get((data as FeedbackRecorded).judges), schemas);
      }
    }
  }

  #judged(tool: string | undefined, schemas: ReadonlyMap<string, Record<string, unknown>>): void {
    const schema = tool === undefined ? undefined : schemas.get(tool);
    if (tool === undefined || schema === undefined || enumeratedFields(schema).length > 0) return;
    const { calls = 0, hasSchema = false } = this.#tools.get(tool) ?? {};
    this.#tools.set(tool, { calls: calls + 1, hasSchema: hasSchema || schema['properties'] !== undefined });
  }

  /** A sentence for each tool. */
  hints(): string[] {
    return [...this.#tools].map(([tool, { calls, hasSchema }]) => {
      const judged = `${calls === 1 ? '1 judged call' : `${calls} judged calls`} of ${tool} can teach nothing`;
      return hasSchema
        ? `${judged}: no field of its schema has an enum of two or more texts, and a dream learns the choice among such values.`
        : `${judged}: no row gives its schema, so the values to choose among are not known. Give it in the rows' \`tools\` or with --tools FILE, and import into a new data directory: what is on the log stays as it is.`;
    });
  }
}
