import { compileTeam } from '@dreamfold/runtime';
import type { AgentDefinition } from 'dreamfold';
import type { Io } from '../io.ts';

/** Says which agents answer by script because nobody chose a model for them: else "I was asked: …" looks like an answer. */
export function noteStandIns(lead: AgentDefinition, io: Io): void {
  const names = [...compileTeam(lead).agents.values()].flatMap(({ name, standIn }) => (standIn === true ? [name] : []));
  if (names.length === 0) return;
  io.note(
    `No model set for ${names.join(', ')}: the scripted stand-in answers, and does only what an @script line tells it. ` +
      "Give the agent a model: 'claude-…', or --model.",
  );
}
