import type { StoredEvent, WriteClass } from '@dreamfold/events';
import type { Head } from '../port.ts';
import { ANCHOR_AT_START, EMPTY_HEAD, WHOLE_RULE, type Anchor, type Proposal, type RuleParts } from '../rule/rule.ts';

/** The rule's parts, and what its users have to do for it to hold. */
export interface Parts extends RuleParts {
  /** A writer gives up an append only on a verdict that is final. */
  awaitFate: boolean;
  /** A writer sends the same bytes again until it knows. */
  resend: boolean;
  /** Writers have names of their own. */
  writerName: boolean;
  /** A reader counts events of types and versions that its code does not know. */
  versionBlind: boolean;
  /** A reader checks that the log still ends in what it has read. */
  anchor: boolean;
  /** ... and that it was written in the same term. */
  term: boolean;
}

export const ALL_PARTS: Parts = {
  ...WHOLE_RULE,
  awaitFate: true,
  resend: true,
  writerName: true,
  versionBlind: true,
  anchor: true,
  term: true,
};

/** What can go wrong besides loss, repetition, delay and reordering, which always do. */
export interface Weather {
  crashes?: boolean;
  torn?: boolean;
  damaged?: boolean;
  pipelined?: boolean;
  owners?: boolean;
  oldCode?: boolean;
  truncated?: boolean;
}

export type Failure =
  | 'readers disagree'
  | 'event counted twice'
  | 'request counted twice'
  | 'append counted in part'
  | 'fork'
  | 'damaged record counted'
  | 'acknowledged event lost'
  | 'refused append counted'
  | 'two owners of one epoch'
  | 'zombie wrote'
  | 'truncation unnoticed'
  | 'waits for ever';

export interface Outcome {
  failures: ReadonlySet<Failure>;
  counted: number;
}

/** A record as it stands in the partition. */
export interface LogRecord {
  event: StoredEvent;
  bytes: string;
  term: number;
}

/** What is asked for: its id is derived from its cause, so whoever does it again uses it again. */
export interface Request {
  id: string;
  class: WriteClass;
  state: 'open' | 'in flight' | 'done';
}

/** One try at a request: the bytes that are sent, and sent again. */
export interface Attempt {
  request: Request;
  events: readonly StoredEvent[];
  proposal: Proposal;
  follows: Attempt | undefined;
  refused: boolean;
}

/** A node's replica: what it has folded so far. */
export class Replica {
  head: Head = EMPTY_HEAD;
  anchor: Anchor = ANCHOR_AT_START;
  pending: readonly StoredEvent[] = [];
  counted: StoredEvent[] = [];
  sizes = new Map<string, number>();
  noticed = 0;
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }

  copy(): Replica {
    return Object.assign(new Replica(this.code), this, { counted: [...this.counted], sizes: new Map(this.sizes) });
  }

  lastHashOf(appendId: string): string | undefined {
    return this.counted.findLast((event) => event.append.id === appendId)?.hash;
  }
}

export class SimulatedNode {
  readonly name: string;
  replica: Replica;
  saved: Replica | null = null;
  attempts: Attempt[] = [];
  /** Epoch that it holds the stream under, as far as it knows. */
  epoch = 0;

  constructor(name: string, code: number) {
    this.name = name;
    this.replica = new Replica(code);
  }
}
