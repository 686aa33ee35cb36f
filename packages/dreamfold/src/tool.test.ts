import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { tool } from './tool.ts';

const input = z.object({ to: z.string(), note: z.string().default('none') });
const pay = tool({ name: 'pay', description: 'Pays.', input, run: () => 'paid' });

describe('a tool', () => {
  test('of which nothing else is said is not run again by itself, asks nobody, and has a minute', () => {
    expect(pay).toMatchObject({ effect: 'unsafe', policy: 'always_allow', timeoutMs: 60_000 });
  });

  test('is given what its schema makes of the input, and nothing that does not fit', () => {
    expect(pay.parse({ to: 'ann' })).toEqual({ to: 'ann', note: 'none' });
    for (const wrong of [{}, { to: 7 }, null, 'ann']) {
      expect(() => pay.parse(wrong)).toThrow(expect.objectContaining({ code: 'invalid_tool_input' }));
    }
  });

  test.each([z.string(), z.array(z.string()), z.date()])('needs an object as its input', (other) => {
    const make = (): unknown => tool({ name: 'pay', description: '', input: other, run: () => '' });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_team', path: 'tools/pay/input' }));
  });
});
