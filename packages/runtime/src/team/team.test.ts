import { describe, expect, test } from 'vitest';
import { isDreamfoldError } from '@dreamfold/events';
import type { AgentDefinition, ToolDefinition } from './definitions.ts';
import { compileTeam } from './team.ts';

const lookup: ToolDefinition = {
  name: 'lookup',
  description: '',
  inputSchema: { type: 'object' },
  parse: (input) => input,
  effect: 'pure',
  policy: 'always_allow',
  timeoutMs: 1000,
  run: () => 'found',
};
const desk: AgentDefinition = {
  name: 'desk',
  description: '',
  system: '',
  model: 'scripted',
  tools: [lookup],
  team: [],
  maxTokens: 1,
  contextWindow: 1,
};
const withTool = (change: object): unknown => ({ ...desk, tools: [{ ...lookup, ...change }] });

describe('a team that is none', () => {
  test.each<[string, unknown]>([
    ['nothing', null],
    ['a member that is nothing', { ...desk, team: [null] }],
    ['a model that is a number', { ...desk, model: 7 }],
    ['tools that are no list', { ...desk, tools: 7 }],
    ['a tool that is nothing', { ...desk, tools: [null] }],
    ['a tool that cannot run', withTool({ run: undefined })],
    ['no time at all', withTool({ timeoutMs: 0 })],
    ['endless time', withTool({ timeoutMs: Number.POSITIVE_INFINITY })],
    ['more time than a timer holds', withTool({ timeoutMs: 2 ** 31 })],
    ['a time that is no number', withTool({ timeoutMs: Number.NaN })],
  ])('%s', (_, lead) => {
    let thrown: unknown;
    try {
      compileTeam(lead as AgentDefinition);
    } catch (error) {
      thrown = error;
    }
    expect(isDreamfoldError(thrown, 'invalid_team') && thrown.path?.startsWith('team')).toBe(true);
  });

  test('a good one passes', () => {
    expect([...compileTeam(desk).agents.keys()]).toEqual(['desk']);
  });
});
