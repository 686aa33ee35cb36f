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

  test('comes from the choices of the memory, not from its being there', async () => {
    const withoutChoices = (request: ModelRequest): ModelRequest => ({
      ...request,
      messages: request.messages.map(({ role, content }) => ({
        role,
        content: content.map((block) => (block.type === 'memory' ? { ...block, choices: [] } : block)),
      })),
    });
    const { nextDay, rolledBack } = await demoWith(withoutChoices);
    expect(nextDay.figures).toEqual(rolledBack.figures);
  });
});

test('agents know nothing of the tickets', () => {
  const source = ['team.ts', 'policies.ts'].map((file) => readFileSync(new URL(file, import.meta.url), 'utf8').toLowerCase()).join('\n');
  for (const word of ['parcel', 'authenticator', 'voucher']) expect(source).not.toMatch(new RegExp(`\\b${word}\\b`));
  for (const { text, from } of [...FIRST_DAY, ...NEXT_DAY]) {
    expect(source).not.toContain(text.toLowerCase());
    expect(source).not.toContain(from.toLowerCase());
  }
});

test('the next day has other customers and other words', () => {
  const customers = new Set(FIRST_DAY.map(({ from }) => from));
  const texts = new Set(FIRST_DAY.map(({ text }) => text));
  for (const { from, text } of NEXT_DAY) expect(customers.has(from) || texts.has(text)).toBe(false);
});
