import { describe, expect, test } from 'vitest';
import { answerTo } from './simulated-team.ts';
import { World } from './world.ts';

/** About 22 ms each. */
const WORLDS = 2_000;
const AT_ONCE = 250;

test('a world follows from its seed, another one from another', async () => {
  const [one, again, other] = [await new World(17).run(), await new World(17).run(), await new World(18).run()];
  expect(again).toEqual(one);
  expect(other.story).not.toEqual(one.story);
});

describe('what the runtime promises holds whatever goes wrong', () => {
  test.each(Array.from({ length: WORLDS / AT_ONCE }, (_, i) => i * AT_ONCE + 1))(
    `in ${AT_ONCE} worlds from seed %i on`,
    async (from) => {
      let [ended, proposed] = [0, 0];
      for (let seed = from; seed < from + AT_ONCE; seed += 1) {
        const { problems, story, sessions, proposals } = await new World(seed).run();
        expect(problems, `${story.join('\n')}\nSeed ${seed}; again with: pnpm sim --seed ${seed}`).toEqual([]);
        ended += sessions;
        proposed += proposals;
      }
      // A world without sessions, or without proposals, would promise nothing of them.
      expect(ended).toBeGreaterThan(AT_ONCE * 2);
      expect(proposed).toBeGreaterThan(AT_ONCE / 10);
    },
    300_000,
  );
});

test('the model says what follows from the results that have come back', () => {
  const told = { role: 'user' as const, content: [{ type: 'text' as const, text: 'do: look charge+launch' }] };
  const result = { type: 'tool_result' as const, tool_use_id: 'x', content: 'seen', is_error: false };
  const callsAfter = (results: number): string[] =>
    answerTo({ messages: [told, { role: 'user', content: Array.from({ length: results }, () => result) }] }).content.map((block) =>
      block.type === 'tool_use' ? `${block.name} ${JSON.stringify(block.input)}` : (block as { text: string }).text,
    );
  expect(callsAfter(0)).toEqual(['look {"step":0}']);
  expect(callsAfter(1)).toEqual(['charge {"step":1}', 'launch {"step":2}']);
  expect(callsAfter(3)).toEqual(['done after 3 steps']);
});
