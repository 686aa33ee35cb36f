import {
  arg,
  FilePath,
  InsightsCounted,
  optionsOf,
  PatchApproved,
  PatchProposed,
  StoreCreated,
  Text,
  type GateVerdict,
  type MemoryPin,
  type MethodArguments,
} from '@dreamfold/events';
import type { EditPatch, MemoryPoint, ProposePatch } from '@dreamfold/core';
import { z } from 'zod';
import { ConstitutionShape } from './constitution-file.ts';
import type { NoteWrite, WriteOptions } from './direct-write.ts';
import type { MemoryKeeper, Proposal } from './memory-keeper.ts';

const { reason } = PatchProposed.shape;
const Decision = optionsOf<{ by: string; reason: string }>({ by: Text, reason });
const Point = optionsOf<{ version?: number; timeMs?: number }>({ version: z.int().optional(), timeMs: z.number().optional() }).refine(
  ({ version, timeMs }) => (version === undefined) !== (timeMs === undefined),
  'expected either a version or timeMs',
) as unknown as z.ZodType<MemoryPoint>;
const Patch = optionsOf<ProposePatch>({
  patchId: Text,
  operations: z.unknown(),
  reason,
  author: Text,
  evidence: z.array(z.string()).optional(),
  baseHash: z.string().optional(),
});
const WithRules = { constitution: ConstitutionShape.optional() };
const Note = optionsOf<NoteWrite>({
  path: z.string(),
  content: z.string(),
  reason,
  by: Text,
  expectedVersion: z.int().min(0).optional(),
  ...WithRules,
});
const Gates = z.array(z.custom<GateVerdict>((gate) => typeof gate === 'object' && gate !== null));
const Edit = optionsOf<EditPatch>({
  former: Text,
  patchId: Text,
  operations: z.unknown(),
  reason,
  evidence: z.array(z.string()),
  gates: Gates,
  by: Text,
  note: PatchApproved.shape.note,
  apply: z.boolean().optional(),
});
const Pin = optionsOf<MemoryPin>({ store: Text, version: z.int().min(0), hash: z.string() });
const AProposal = optionsOf<Proposal>({
  patch: Patch,
  gates: Gates,
  supersedes: z.string().nullable(),
});

const store = arg('store', Text);
const patchId = arg('patchId', Text);
const version = (name: string) => arg(name, z.int().min(0));

/** What the methods of MemoryKeeper take. What a patch does is checked where it is made, against the memory that it is for. */
export const MEMORY_METHODS: MethodArguments<MemoryKeeper> = {
  idOf: [arg('name', Text)],
  create: [arg('store', optionsOf<StoreCreated>(StoreCreated.shape)), arg('by', Text)],
  load: [store],
  asOf: [store, arg('seq', z.int().min(0))],
  list: [],
  pin: [arg('names', z.array(Text))],
  pinned: [arg('pins', z.array(Pin))],
  versions: [store],
  at: [store, arg('point', Point)],
  diff: [store, version('from'), version('to')],
  blame: [store, arg('path', z.string().optional())],
  exportTo: [store, arg('directory', FilePath), arg('point', Point.optional())],
  importFrom: [
    store,
    arg('directory', FilePath),
    arg('decision', optionsOf<WriteOptions & { by: string; reason: string }>({ by: Text, reason, ...WithRules })),
  ],
  propose: [store, arg('proposals', z.array(AProposal))],
  withdraw: [store, arg('patchIds', z.array(Text)), arg('decision', Decision)],
  countInsights: [
    store,
    arg(
      'counted',
      optionsOf<{ dreamId: string; counts: InsightsCounted['counts'] }>({ dreamId: Text, counts: InsightsCounted.shape.counts }),
    ),
  ],
  approve: [store, patchId, arg('decision', optionsOf<{ by: string; note?: string }>({ by: Text, note: PatchApproved.shape.note }))],
  reject: [store, patchId, arg('decision', Decision)],
  edit: [store, arg('edit', Edit)],
  rollback: [store, patchId, arg('decision', Decision)],
  write: [store, arg('patch', Patch), arg('options', optionsOf<WriteOptions>(WithRules).optional())],
  writeNote: [store, arg('note', Note)],
};
