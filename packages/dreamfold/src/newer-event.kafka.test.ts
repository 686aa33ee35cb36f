// An event of a newer Dreamfold, written by another node: it suspends its session here, and nothing else.
import { randomBytes } from 'node:crypto';
import { streamOf } from '@dreamfold/events';
import { openKafkaLog } from '@dreamfold/log-kafka';
import { sqliteReplicas } from '@dreamfold/log/sqlite';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { agent, open, tool, type Dreamfold } from './index.ts';
import { temporaryDirectory } from './testing/log-fixtures.ts';
import { addNewerEvent } from './testing/newer-event.ts';

test('a newer event suspends its own session only, on every older node, also when it starts again', async () => {
  const url = `kafka://${inject('kafkaBrokers')}/newer-${randomBytes(4).toString('hex')}?partitions=1`;
  const openNode = async (): Promise<Dreamfold> => {
    const df = await open({ log: url, directory: temporaryDirectory() });
    onTestFinished(() => df.close());
    return df;
  };
  const gate = Promise.withResolvers<string>();
  const wait = tool({ name: 'wait', description: 'Waits.', input: z.object({}), run: () => gate.promise });
  const lead = agent({ name: 'lead', system: '', tools: [wait] });
  const say = '@script [{"tool":"wait","input":{}},{"say":"done"}]';
  const df = await openNode();
  const [suspended, bystander] = [await df.run(lead, say), await df.run(lead, say)];
  await vi.waitFor(() => expect([suspended, bystander].map(({ state }) => state.usage.toolCalls)).toEqual([1, 1]));
  const newer = await openKafkaLog({ url, directory: temporaryDirectory(), storage: sqliteReplicas });
  onTestFinished(() => newer.close());
  const stream = streamOf('session', suspended.id);
  await addNewerEvent(newer, stream);
  gate.resolve('ready');
  const refusal = { code: 'unsupported_schema_version', message: expect.stringContaining('user.message version 99') };
  await expect(suspended.done()).rejects.toMatchObject(refusal);
  expect(await bystander.done()).toMatchObject({ text: 'done' });

  for (const node of [df, await openNode()]) {
    const { seq } = await newer.head(stream);
    await expect(node.send(suspended.id, 'And now?')).rejects.toMatchObject(refusal);
    await expect(node.resume(lead, suspended.id)).rejects.toMatchObject(refusal);
    expect((await node.session(suspended.id)).suspended).toMatchObject({ type: 'user.message', v: 99 });
    expect((await newer.head(stream)).seq).toBe(seq);
    expect(await (await node.run(agent({ name: 'other', system: '' }), '@script [{"say":"here"}]')).done()).toMatchObject({ text: 'here' });
  }
});
