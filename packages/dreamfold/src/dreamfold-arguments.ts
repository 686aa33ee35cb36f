import { arg, asItIs, functionOf, optionsOf, Text, type MethodArguments } from '@dreamfold/events';
import type { GivenBlock } from '@dreamfold/core';
import type { ErasureRequest } from '@dreamfold/log';
import {
  ConfirmationShape,
  ConstitutionShape,
  DreamOptionsShape,
  FeedbackShape,
  ImportRequestShape,
  JudgementShape,
  RubricShape,
  SkipShape,
  type AgentDefinition,
  type DreamRule,
  type ExportRequest,
  type ProposalEdit,
  type RubricDefinition,
} from '@dreamfold/runtime';
import { z } from 'zod';
import type { Dreamfold, KeepDreamingOptions, WorkOptions } from './dreamfold.ts';
import { RunOptionsShape } from './run-options.ts';

const sessionId = arg('sessionId', Text);
const to = arg('to', z.int().min(0).optional());
const lead = asItIs<AgentDefinition>('lead');
const task = asItIs<string | readonly GivenBlock[]>('task');
const runOptions = arg('options', RunOptionsShape.optional());
const withRubric = optionsOf<{ rubric?: RubricDefinition }>({ rubric: RubricShape.optional() });
const Erasure = optionsOf<ErasureRequest>({
  seqs: z.array(z.int().min(1)).readonly().optional(),
  ids: z.array(z.string()).readonly().optional(),
  reason: Text,
  by: Text.optional(),
});
const Signal = z.instanceof(AbortSignal).optional();

/** What the methods of Dreamfold take. A lead and its task are checked by `compileTeam` and `checkTask`. */
export const DREAMFOLD_METHODS: MethodArguments<Dreamfold> = {
  run: [lead, task, runOptions],
  submit: [lead, task, runOptions],
  resume: [lead, sessionId, arg('options', withRubric.optional())],
  work: [
    arg(
      'options',
      optionsOf<WorkOptions>({
        teams: z.array(optionsOf<WorkOptions['teams'][number]>({ lead: z.custom<AgentDefinition>(), rubric: RubricShape.optional() })),
        concurrency: z.int().min(1).optional(),
        onNews: functionOf<NonNullable<WorkOptions['onNews']>>().optional(),
        signal: Signal,
      }),
    ),
  ],
  session: [sessionId, to],
  sessions: [],
  findSessions: [arg('prefix', z.string()), arg('limit', z.int().min(1))],
  events: [sessionId],
  feedback: [sessionId, arg('feedback', FeedbackShape)],
  skip: [sessionId, arg('skipped', SkipShape)],
  dream: [arg('options', DreamOptionsShape)],
  editProposal: [
    arg('store', Text),
    arg('patchId', Text),
    arg(
      'edit',
      optionsOf<ProposalEdit>({
        text: z.string(),
        by: Text,
        note: z.string().optional(),
        constitution: ConstitutionShape.optional(),
        apply: z.boolean().optional(),
      }),
    ),
  ],
  keepDreaming: [
    arg(
      'options',
      optionsOf<KeepDreamingOptions>({
        rules: z.array(z.custom<DreamRule>()),
        once: z.boolean().optional(),
        onDream: functionOf<NonNullable<KeepDreamingOptions['onDream']>>().optional(),
        signal: Signal,
      }),
    ),
  ],
  send: [sessionId, asItIs<string | readonly GivenBlock[]>('message')],
  confirm: [sessionId, arg('confirmation', ConfirmationShape)],
  judge: [sessionId, arg('judgement', JudgementShape)],
  interrupt: [sessionId, arg('threadId', Text.optional())],
  import: [arg('request', ImportRequestShape)],
  export: [
    arg(
      'request',
      optionsOf<ExportRequest>({
        sessions: z.array(Text).optional(),
        allowMissing: z.boolean().optional(),
        onMissing: functionOf<NonNullable<ExportRequest['onMissing']>>().optional(),
        onProgress: functionOf<NonNullable<ExportRequest['onProgress']>>().optional(),
      }).optional(),
    ),
  ],
  verifyRequests: [sessionId, to],
  erase: [arg('stream', Text), arg('request', Erasure)],
  verifySession: [sessionId],
  processor: [],
  command: [sessionId, arg('build', functionOf<Parameters<Dreamfold['command']>[1]>())],
  lock: [],
  close: [],
};
