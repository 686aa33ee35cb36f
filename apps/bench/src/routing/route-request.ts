import type { AgentDefinition, Dreamfold } from 'dreamfold';
import type { LabelledRequest } from './request-file.ts';
import { FIELD } from './specialist.ts';

/** One request: a session of its customer, then the word of the desk that received it. */
export async function routeRequest(
  dreamfold: Dreamfold,
  agent: AgentDefinition,
  { request, principal, memory }: { request: LabelledRequest; principal: string; memory: readonly string[] },
): Promise<void> {
  const session = await dreamfold.run(agent, request.text, { principal: { id: principal, authenticated: true }, memory });
  let call: { id: string; queue: unknown } | null = null;
  session.on('agent.tool_use', ({ id, data }) => {
    if (data !== null) call = { id, queue: (data.input as Record<string, unknown>)[FIELD] };
  });
  await session.done();
  const { id, queue } = call!;
  const kept = queue === request.queue;
  await session.feedback({
    judges: id,
    verdict: kept ? 'right' : 'wrong',
    ...(kept ? {} : { right_answer: { [FIELD]: request.queue } }),
    by: `desk:${String(queue)}`,
    class: 'desk',
  });
}
