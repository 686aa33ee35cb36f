import { readFileSync } from 'node:fs';
import { open, scripted, type ModelRequest, type ScriptedPolicy } from 'dreamfold';
import { describe, expect, test } from 'vitest';
import { runDemo, type DemoReport } from './run-demo.ts';
import { supportTeam } from './team.ts';
import { FIRST_DAY, NEXT_DAY } from './tickets.ts';

/** The whole demo on a log in memory, with models that see a changed request. */
async function demoWith(change: (request: ModelRequest) => ModelRequest): Promise<DemoReport> {
  const dreamfold = await open();
  const changed = (policy: ScriptedPolicy) => scripted((request, call) => policy(change(request), call));
  try {
    return await runDemo(dreamfold, { team: supportTeam(changed) });
  } finally {
    await dreamfold.close();
  }
}

function withoutMemory(request: ModelRequest): ModelRequest {
  const messages = request.messages.map(({ role, content }) => ({
    role,
    content: content.filter((block) => block.type !== 'memory'),
  }));
  return { ...request, messages };
}

describe('the gain of the demo', () => {
  test('is there with memory, and gone after the rollback', async () => {
    const { firstDay, nextDay, rolledBack, rollback } = await demoWith((request) => request);
    expect(nextDay.figures).toMatchObject({ tickets: 8, rightFirstTime: 8, rubricMetAtOnce: 8, rightQueue: 8 });
    expect(rolledBack.figures).toMatchObject({ tickets: 8, rightFirstTime: 2, rubricMetAtOnce: 3, rightQueue: 2 });
    expect(firstDay.figures).toMatchObject({ tickets: 16, rightFirstTime: 7 });
    expect(rollback).toEqual({ versions: 7, restored: true });
  });

  test('is gone when the memory text is taken out of the prompt', async () => {
    const { dream, nextDay, rolledBack } = await demoWith(withoutMemory);
    expect(dream.proposed).toHaveLength(3);
    expect(nextDay.figures).toEqual(rolledBack.figures);
    expect(nextDay.figures.rightFirstTime).toBe(2);
  });

  test('comes from what the memory says, not from its being there', async () => {
    const ofOtherValues = (request: ModelRequest): ModelRequest => ({
      ...request,
      messages: request.messages.map(({ role, content }) => ({
        role,
        content: content.map((block) =>
          block.type === 'memory' ? { ...block, choices: block.choices.map((choice) => ({ ...choice, value: 'nowhere' })) } : block,
        ),
      })),
    });
    const { nextDay, rolledBack } = await demoWith(ofOtherValues);
    expect(nextDay.figures).toEqual(rolledBack.figures);
  });
});
