import { patchOf, proposedText, type PatchRecord } from '@dreamfold/core';
import { isDreamfoldError, streamOf, type ErrorCode } from '@dreamfold/events';
import { forbiddenPhrase } from '@dreamfold/dreaming';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { beforeEach, describe, expect, it } from 'vitest';
import { Dreamer } from '../dream/dreamer.ts';
import { MemoryKeeper } from './memory-keeper.ts';
import { ProposalEditor, type EditedProposal, type ProposalEdit } from './proposal-editor.ts';
import { QUEUES, routeTicket, type Ticket } from '../testing/routed-sessions.ts';

const TICKETS: readonly Ticket[] = [
  ['ann', 'billing', 'A refund of my money'],
  ['bob', 'billing', 'Refund the money please'],
  ['cem', 'billing', 'Where is the money, I want a refund'],
  ['eva', 'technical', 'The app crashes'],
  ['fay', 'technical', 'It crashes on start'],
  ['gus', 'technical', 'Why crashes it again'],
];
const rules = [forbiddenPhrase('never say this')];

let log: Log;
let memory: MemoryKeeper;
let billing: string;

beforeEach(async () => {
  log = openMemoryLog();
  memory = new MemoryKeeper(log);
  await memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  for (const ticket of TICKETS) await routeTicket(log, ticket, { queues: QUEUES });
  const report = await new Dreamer(log, memory).dream({ store: 'desk', constitution: rules });
  billing = report.insights.find(({ insight }) => insight.kind === 'choice' && insight.value === 'billing')!.patchId!;
});

const record = async (id: string): Promise<PatchRecord> => patchOf((await memory.load('desk')).state, id)!;
const textOf = async (id: string): Promise<string> => proposedText((await record(id)).proposal.operations)!;
const edit = (id: string, text: string, more: Partial<ProposalEdit> = {}): Promise<EditedProposal | null> =>
  new ProposalEditor(log, memory).edit('desk', id, { text, by: 'person:ann', constitution: rules, ...more });
const withoutMoney = async (): Promise<string> => (await textOf(billing)).replace(/^"money".*\n/m, '');
const refusal = (code: ErrorCode, says: RegExp) =>
  expect.toSatisfy((error) => isDreamfoldError(error, code) && says.test(`${error.message} ${error.remedy}`));

describe('an edited proposal', () => {
  it('takes the place of the former in one append, and waits for somebody else', async () => {
    const { seq } = await log.head(streamOf('memory', memory.idOf('desk')));
    const { patchId, status } = (await edit(billing, await withoutMoney(), { note: 'Too common a word.' }))!;
    expect(status).toBe('validated');
    const [appends, types] = [new Set<string>(), [] as string[]];
    for await (const batch of log.read(streamOf('memory', memory.idOf('desk')), { from: seq + 1 })) {
      types.push(...batch.map(({ type }) => type));
      for (const { id } of batch) appends.add(id.replace(/-[12]$/, ''));
    }
    expect(appends.size).toBe(1);
    expect(types).toEqual(['memory.patch_proposed', 'memory.patch_validated', 'memory.patch_rejected']);
    const [former, made] = [await record(billing), await record(patchId)];
    expect(former.decision).toEqual({ by: 'person:ann', reason: `Edited as ${patchId}: Too common a word.` });
    expect(made.proposal).toMatchObject({ author: 'person:ann', supersedes: billing });
    expect(made.proposal.reason).not.toBe(former.proposal.reason);
    expect(made.proposal.reason).toMatch(/^Where requests said .*, the right queue was billing: /);
    expect(made.proposal.evidence).toEqual(former.proposal.evidence);
    expect(made.gates.map(({ gate, pass }) => [gate, pass])).toEqual(former.gates.map(({ gate }) => [gate, true]));
    await expect(memory.approve('desk', patchId, { by: 'person:ann' })).rejects.toEqual(
      refusal('self_approval_forbidden', /somebody else/),
    );
    await memory.approve('desk', patchId, { by: 'person:bob' });
    expect(await textOf(patchId)).not.toContain('money');
  });

  it('is applied at once when its author takes it on', async () => {
    expect(await edit(billing, await withoutMoney(), { apply: true })).toMatchObject({ status: 'applied' });
    expect((await memory.load('desk')).state.version).toBe(2);
  });

  it('stays as it was edited: later dreams do not bring the former back', async () => {
    const { patchId } = (await edit(billing, await withoutMoney(), { apply: true }))!;
    const before = (await memory.load('desk')).state.hash;
    await routeTicket(log, ['dan', 'billing', 'A refund of all my money'], { queues: QUEUES });
    const report = await new Dreamer(log, memory).dream({ store: 'desk', thorough: true, constitution: rules });
    const again = report.insights.filter(({ insight }) => insight.kind === 'choice' && insight.value === 'billing');
    expect(again.map(({ patchId: id, status }) => [id, status])).toEqual([[billing, 'rejected']]);
    expect([(await memory.load('desk')).state.hash, (await record(patchId)).status]).toEqual([before, 'applied']);
  });

  it('is none when the text says what was proposed', async () => {
    expect(await edit(billing, await textOf(billing))).toBe(null);
    expect((await record(billing)).status).toBe('validated');
  });

  it('is refused with the reason of the gate, and changes nothing', async () => {
    const { seq } = await log.head(streamOf('memory', memory.idOf('desk')));
    const text = await textOf(billing);
    const forbidden = [forbiddenPhrase('billing')];
    await expect(edit(billing, await withoutMoney(), { constitution: forbidden })).rejects.toEqual(
      refusal('precondition_failed', /gate constitution .*rule forbids: "billing"/),
    );
    await expect(edit(billing, await withoutMoney(), { constitution: [] })).rejects.toEqual(refusal('precondition_failed', /--rules/));
    await expect(edit(billing, `${text}"crashes" (+40)`)).rejects.toEqual(refusal('precondition_failed', /"crashes" is borne out by 0/));
    await expect(edit(billing, `${text}"ref\u200bund" (+40)`)).rejects.toEqual(refusal('suspicious_unicode', /gate unicode/));
    await expect(edit(billing, 'refunds go to billing')).rejects.toEqual(refusal('invalid_argument', /when the request says/));
    await expect(edit('patch_nope', text)).rejects.toEqual(refusal('not_found', /patch_nope/));
    expect((await log.head(streamOf('memory', memory.idOf('desk')))).seq).toBe(seq);
  });
});
