/** What was asked for can't be done as it was asked: the message says why, and what to do. */
export class UsageError extends Error {}
