import { open, scripted, type ModelRequest } from 'dreamfold';
import { expect, test } from 'vitest';
import { firstRequestOf, scoreHeldOut } from './held-out.ts';
import { policy, specialist } from './specialist.ts';

const cue = { phrase: 'wallet', points: 30, sessions: 3, principals: 3 };
const support = { sessions: 3, principals: 3 };
const insight = { kind: 'choice', id: 'i1', tool: 'route', field: 'queue', value: 'top_up', cues: [cue], support };

test('a held-out request gets the prompt that a session would give it, and leaves nothing on the log', async () => {
  const dreamfold = await open();
  try {
    await dreamfold.memory.create({ name: 'routing', description: '', approval: 'auto' }, 'bench');
    const value = { kind: 'playbook', title: 'Routing', insights: { i1: insight } };
    const write = { patchId: 'patch_1', operations: [{ op: 'add', path: '/memories/~1r.md', value }], reason: 'A test.', author: 'bench' };
    await dreamfold.memory.write('routing', write);
    const seen: ModelRequest[] = [];
    const watched = scripted((request, call) => {
      seen.push(request);
      return policy(request, call);
    });
    const agent = { ...specialist(['card_lost', 'top_up']), model: watched };
    await (await dreamfold.run(agent, 'Fill my wallet', { memory: ['routing'] })).done();
    const head = await dreamfold.log.cursor();

    const pinned = await dreamfold.memory.pinned(await dreamfold.memory.pin(['routing']));
    const { request, memory } = firstRequestOf(agent, pinned)('Fill my wallet');
    // The mark of the delimiters is another one in each session.
    const unmarked = (one: ModelRequest): unknown =>
      JSON.parse(JSON.stringify(one), (key, value: unknown) => (key === 'mark' ? '' : value));
    expect(unmarked(request)).toEqual(unmarked(seen[0]!));
    expect(memory).toContain('- queue = "top_up" when the request says "wallet" (+30)');
    const heldOut = [
      { text: 'Fill my wallet', queue: 'top_up' },
      { text: 'An empty wallet', queue: 'top_up' },
      { text: 'Where is it?', queue: 'top_up' },
    ];
    expect(scoreHeldOut(heldOut, agent, pinned)).toEqual({
      accuracy: 2 / 3,
      memoryBytes: { p50: Buffer.byteLength(memory), max: Buffer.byteLength(memory) },
    });
    expect(scoreHeldOut(heldOut, agent, [])).toEqual({ accuracy: 0, memoryBytes: { p50: 0, max: 0 } });
    expect(await dreamfold.log.cursor()).toEqual(head);
  } finally {
    await dreamfold.close();
  }
});
