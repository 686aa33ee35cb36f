import type { GivenInsight, LabellerClass, Uncounted } from '@dreamfold/events';

/** A call of a tool at which one of the tool's own values was chosen. */
export interface DecisionPoint {
  session: string;
  /** In the form that names are counted by. */
  principal: string;
  /** Somebody had checked that the principal is who it says. */
  authenticated: boolean;
  agent: string;
  tool: string;
  /** The field of the tool's input that was decided on, and the values that its schema allows. */
  field: string;
  options: readonly string[];
  chosen: string;
  /** What would have been right, from feedback; null while nobody has said. */
  right: string | null;
  /** The class of whoever had the last word on it; null while nobody has. */
  labeller: LabellerClass | null;
  /** What was asked for: the session's request and, in a specialist's thread, what it was told. */
  request: string;
  confidence: number | null;
  reason: string | null;
  /** What of the memory the thread had in its prompt, and the version of the store that it is from. */
  given: readonly (GivenInsight & { version: number })[];
  /** `stream#seq` of the call and, when it is labelled, of the feedback. */
  evidence: readonly string[];
}

/** A tool's error, and what the run did next. */
export interface ErrorPoint {
  session: string;
  principal: string;
  tool: string;
  signature: string;
  /** Words of the signature that neither the request nor the call had said: the tool's own. */
  own: readonly string[];
  /** The next call's tool, `respond` for a message to the user, null when nothing followed. */
  next: string | null;
  /** `stream#seq` of the result. */
  evidence: string;
}

/** What a dream sees of one finished session. */
export interface Episode {
  session: string;
  principal: string;
  /** Recorded elsewhere, not run here. */
  imported: boolean;
  /** The last event that was read. */
  seq: number;
  decisions: readonly DecisionPoint[];
  errors: readonly ErrorPoint[];
  /** Seqs of what says how it came out: feedback and scores. */
  labels: ReadonlySet<number>;
  /** Feedback that labels no decision here, and why. */
  uncounted: readonly UncountedFeedback[];
}

/** Feedback that did not count. */
export interface UncountedFeedback {
  reason: Uncounted['reason'];
  /** `stream#seq`. */
  ref: string;
}
