import { agent, open, tool, type AgentDefinition, type Dreamfold, type Model, type ModelRequest, type ModelResponse } from 'dreamfold';
import { z } from 'zod';
import type { Column } from './column.ts';
import { checkAnswer, PROMPT, SYSTEM, TOOL_DESCRIPTION, TOOL_NAME, type Role, type Scenario, type Workload } from './workload.ts';

const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const USAGE = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };

/** Above the longest workload; the default stops an agent after 200 turns. */
const CAPS = { turns: 1000, tool_calls: 1000 };

function model(workload: Workload, role: Role): Model {
  return {
    price: FREE,
    respond: (request) => Promise.resolve(respond(workload, role, request)),
  };
}

function respond(workload: Workload, role: Role, request: ModelRequest): ModelResponse {
  let toolResults = 0;
  for (const { content } of request.messages) for (const block of content) if (block.type === 'tool_result') toolResults += 1;
  const answer = workload.decide(role, toolResults);
  switch (answer.kind) {
    case 'text':
      return { content: [{ type: 'text', text: answer.text }], stopReason: 'end_turn', usage: USAGE };
    case 'call':
      return { content: [{ type: 'tool_use', id: answer.id, name: TOOL_NAME, input: answer.input }], stopReason: 'tool_use', usage: USAGE };
    case 'delegate':
      return {
        content: answer.calls.map(({ id, agent, task }) => ({ type: 'tool_use', id, name: 'delegate', input: { agent, message: task } })),
        stopReason: 'tool_use',
        usage: USAGE,
      };
  }
}

/** The two agents that are given tasks: one for each scenario. */
function leads(workload: Workload): Record<Scenario, AgentDefinition> {
  const lookup = tool({
    name: TOOL_NAME,
    description: TOOL_DESCRIPTION,
    input: z.object({ i: z.number() }),
    run: async ({ i }) => workload.lookup(i),
    effect: 'pure',
  });
  const team = workload.specialists.map((name) => agent({ name, system: SYSTEM, model: model(workload, 'specialist'), tools: [lookup] }));
  return {
    single: agent({ name: 'single', system: SYSTEM, model: model(workload, 'single'), tools: [lookup] }),
    team: agent({ name: 'lead', system: SYSTEM, model: model(workload, 'lead'), team }),
  };
}

async function runOn(dreamfold: Dreamfold, lead: AgentDefinition): Promise<void> {
  const session = await dreamfold.run(lead, PROMPT, { caps: CAPS });
  checkAnswer((await session.done()).text);
}

/** A log of its own for each run, gone when it ends: as with the other columns, nothing is left behind. */
export function memoryColumn(workload: Workload): Column {
  const lead = leads(workload);
  return {
    run: async (scenario) => {
      const dreamfold = await open();
      await runOn(dreamfold, lead[scenario]);
      await dreamfold.close();
    },
    close: () => Promise.resolve(),
  };
}

/** One log on disk for all runs. */
export async function sqliteColumn(workload: Workload, directory: string): Promise<Column> {
  const lead = leads(workload);
  const dreamfold = await open({ directory });
  return { run: (scenario) => runOn(dreamfold, lead[scenario]), close: () => dreamfold.close() };
}
