import { isStepCount, tool, ToolLoopAgent, type LanguageModel, type ToolSet } from 'ai';
import { z } from 'zod';
import type { Column } from './column.ts';
import { checkAnswer, PROMPT, SYSTEM, TOOL_DESCRIPTION, TOOL_NAME, type Answer, type Role, type Workload } from './workload.ts';

type LanguageModelV4 = Extract<LanguageModel, { specificationVersion: 'v4' }>;
type Generated = Awaited<ReturnType<LanguageModelV4['doGenerate']>>;

const USAGE: Generated['usage'] = {
  inputTokens: { total: 10, noCache: 10, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};

function model(workload: Workload, role: Role): LanguageModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'bench',
    modelId: role,
    supportedUrls: {},
    doGenerate: async ({ prompt }) => {
      let toolResults = 0;
      for (const message of prompt) {
        if (message.role === 'tool') for (const part of message.content) if (part.type === 'tool-result') toolResults += 1;
      }
      return generated(workload.decide(role, toolResults));
    },
    doStream: () => Promise.reject(new TypeError('this model does not stream')),
  };
}

function generated(answer: Answer): Generated {
  const unified = answer.kind === 'text' ? 'stop' : 'tool-calls';
  return { content: contentOf(answer), finishReason: { unified, raw: unified }, usage: USAGE, warnings: [] };
}

function contentOf(answer: Answer): Generated['content'] {
  switch (answer.kind) {
    case 'text':
      return [{ type: 'text', text: answer.text }];
    case 'call':
      return [{ type: 'tool-call', toolCallId: answer.id, toolName: TOOL_NAME, input: JSON.stringify(answer.input) }];
    case 'delegate':
      return answer.calls.map(({ id, agent, task }) => ({
        type: 'tool-call',
        toolCallId: id,
        toolName: 'delegate',
        input: JSON.stringify({ agent, task }),
      }));
  }
}

/** The AI SDK's agent loop. It keeps nothing: neither a log nor a way to go on after a crash. */
export function aiSdkColumn(workload: Workload): Column {
  const agent = (role: Role, tools: ToolSet): ToolLoopAgent<never, ToolSet> =>
    new ToolLoopAgent({ model: model(workload, role), instructions: SYSTEM, tools, stopWhen: isStepCount(1000) });
  const lookup = tool({
    description: TOOL_DESCRIPTION,
    inputSchema: z.object({ i: z.number() }),
    execute: async ({ i }) => workload.lookup(i),
  });
  const single = agent('single', { [TOOL_NAME]: lookup });
  const specialists = new Map(workload.specialists.map((name) => [name, agent('specialist', { [TOOL_NAME]: lookup })]));
  const delegate = tool({
    description: 'Delegate',
    inputSchema: z.object({ agent: z.string(), task: z.string() }),
    execute: async ({ agent: name, task }) => (await specialists.get(name)!.generate({ prompt: task })).text,
  });
  const lead = agent('lead', { delegate });
  return {
    run: async (scenario) => checkAnswer((await (scenario === 'single' ? single : lead).generate({ prompt: PROMPT })).text),
    close: () => Promise.resolve(),
  };
}
