import { functionOf, optionsOf, Text } from '@dreamfold/events';
import { OUTCOME_STATUSES, SESSION_STATUSES, type SessionStatus } from '@dreamfold/views';
import { z } from 'zod';
import type { OnProgress } from './projections.ts';

/** Which part of a list is wanted. */
export interface PageQuery {
  /** Rows at most; 0 only counts. Default: all. */
  limit?: number;
  /** The `next` of the page before, which is the id of its last row. */
  after?: string;
  /** Default `newest` first. */
  order?: 'newest' | 'oldest';
  /** Told while what is new on the log is folded. */
  onProgress?: OnProgress;
}

/** Which sessions are wanted: those that every filter lets through. */
export interface SessionQuery extends PageQuery {
  status?: SessionStatus;
  /** Name of the lead. */
  agent?: string;
  principal?: string;
  outcome?: (typeof OUTCOME_STATUSES)[number];
  /** Begun at this time or later: a date, or milliseconds since 1970. */
  since?: Date | number;
  /** Begun before this time. */
  until?: Date | number;
  /** Words of the title or task, whatever their case. */
  title?: string;
}

export const PROPOSAL_STATUSES = ['waiting', 'approved', 'rejected', 'applied', 'rolled_back'] as const;

/** Which patches are wanted. */
export interface ProposalQuery extends PageQuery {
  /** `waiting`: a person has to decide on it. */
  status?: (typeof PROPOSAL_STATUSES)[number];
  /** Id of the store. */
  store?: string;
}

export const DREAM_STATUSES = ['running', 'completed', 'failed', 'cancelled'] as const;

/** Which dreams are wanted. */
export interface DreamQuery extends PageQuery {
  status?: (typeof DREAM_STATUSES)[number];
  /** Id of the store. */
  store?: string;
}

const page = {
  limit: z.int().min(0).optional(),
  after: Text.optional(),
  order: z.enum(['newest', 'oldest']).optional(),
  onProgress: functionOf<OnProgress>().optional(),
};
const Time = z.union([z.date(), z.int()], { error: 'expected a valid Date, or milliseconds since 1970' });

export const SessionQueryShape = optionsOf<SessionQuery>({
  ...page,
  status: z.enum(SESSION_STATUSES).optional(),
  agent: Text.optional(),
  principal: Text.optional(),
  outcome: z.enum(OUTCOME_STATUSES).optional(),
  since: Time.optional(),
  until: Time.optional(),
  title: Text.optional(),
});

export const ProposalQueryShape = optionsOf<ProposalQuery>({
  ...page,
  status: z.enum(PROPOSAL_STATUSES).optional(),
  store: Text.optional(),
});

export const DreamQueryShape = optionsOf<DreamQuery>({ ...page, status: z.enum(DREAM_STATUSES).optional(), store: Text.optional() });
