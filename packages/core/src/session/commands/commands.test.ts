import { describe, expect, test } from 'vitest';
import { GivenSession, givenAgent } from '../../testing/given-session.ts';
import type { SessionState } from '../fold/state.ts';
import { hasSomethingToDo } from '../rest.ts';
import { interrupt, sendMessage } from './commands.ts';

const { state } = new GivenSession('Begin.', { agents: [givenAgent('lead')] });

describe.each<[what: string, state: SessionState, code: string]>([
  ['a record of another system', { ...state, imported: { format: 'messages', source: 'runs.jsonl', row: 1 } }, 'session_ended'],
  [
    'what a newer version has written to',
    { ...state, suspended: { id: 'x', seq: 9, type: 'session.paused', v: 1 } },
    'unsupported_schema_version',
  ],
  ['nothing', { ...state, exists: false, seq: 0 }, 'not_found'],
  ['a session whose beginning was erased', { ...state, exists: false }, 'session_ended'],
])('%s', (_what, given, code) => {
  test('does not go on', () => {
    expect(hasSomethingToDo(given)).toBe(false);
    for (const command of [sendMessage, interrupt]) expect(() => command(given, 'More.')).toThrow(expect.objectContaining({ code }));
  });
});
