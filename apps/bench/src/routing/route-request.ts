import type { AgentDefinition, Dreamfold } from 'dreamfold';
import { FIELD } from './specialist.ts';
import type { AskedRequest } from './stream.ts';

/** One request: a session of its customer, then the word of the desk that received it, if it says anything. */
export async function routeRequest(
  dreamfold: Dreamfold,
  agent: AgentDefinition,
  { request: { text, queue: right, principal }, memory }: { request: AskedRequest; memory: readonly string[] },
): Promise<void> {
  const session = await dreamfold.run(agent, text, { principal: { id: principal, authenticated: true }, memory });
  let call: { id: string; queue: unknown } | null = null;
  session.on('agent.tool_use', ({ id, data }) => {
    if (data !== null) call = { id, queue: (data.input as Record<string, unknown>)[FIELD] };
  });
  await session.done();
  if (right === null) return;
  const { id, queue } = call!;
  const kept = queue === right;
  await session.feedback({
    judges: id,
    verdict: kept ? 'right' : 'wrong',
    ...(kept ? {} : { right_answer: { [FIELD]: right } }),
    by: `desk:${String(queue)}`,
    class: 'desk',
  });
}
