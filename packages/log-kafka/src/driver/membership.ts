import { assignSticky } from '../partition/sticky-assignment.ts';
import { clientError } from './client-error.ts';
import type { ClientConfig } from './client-config.ts';
import type { Membership, MembershipOptions } from './driver.ts';
import { KeptMember, type MemberRun } from './kept-member.ts';

/** What members of a group agree on: whichever client each of them has. */
export const PROTOCOL = 'dreamfold-sticky';

/** What a client needs to be a member of a group. */
export interface MemberOptions {
  config: ClientConfig;
  group: string;
  /** The topic whose partitions are shared out. */
  topic: string;
  sessionTimeoutMs: number;
  /** What it has, as it says at each join. */
  claim: () => Buffer;
  /** The group has assigned these partitions, for the first time or again. */
  onJoin: (joined: { partitions: readonly number[]; memberId: string }) => void;
}

export type OpenMember = (options: MemberOptions) => MemberRun;

/**
 * Joins a group that shares out a topic. After a failure it joins again, with back-off, until `leave`.
 *
 * @param with what it joins with, and what ends it before it has joined
 * @throws DreamfoldError store_unavailable, permission_denied, config_invalid
 */
export async function joinGroup(
  config: ClientConfig,
  { group, topic, sessionTimeoutMs, onAssigned, onConnection }: MembershipOptions,
  { open, signal }: { open: OpenMember; signal: AbortSignal },
): Promise<Membership> {
  // Said at each join, also after a failure. Who was away too long may claim what another has by now: one of the two gets it.
  let owned: readonly number[] = [];
  // The group gives a member another name when it had given it up.
  let knownAs: string | null = null;
  let left = false;
  const onJoin: MemberOptions['onJoin'] = ({ partitions, memberId }) => {
    owned = partitions.toSorted((a, b) => a - b);
    const now = owned;
    const wasMember = memberId === knownAs;
    knownAs = memberId;
    // Not in the client's call: it may take what is thrown here for a failed join, and try again.
    queueMicrotask(() => {
      if (!left) onAssigned(now, wasMember);
    });
  };
  const claim = (): Buffer => Buffer.from(JSON.stringify(owned));
  const member = await KeptMember.start({
    timeoutMs: config.connectTimeoutMs,
    signal,
    run: () => open({ config, group, topic, sessionTimeoutMs, claim, onJoin }),
    onConnection: (error) => {
      if (!left) onConnection?.(error);
    },
  }).catch((error: unknown) => {
    throw clientError(error, config.brokers, `joining the group ${group}`);
  });
  return {
    leave: async () => {
      left = true;
      await member.stop();
    },
  };
}

/**
 * What each member gets, as the one decides that the group has chosen for it.
 * @param claims what each said of itself: bytes of another process
 */
export function shareOut(claims: readonly { id: string; claim: Uint8Array }[], partitions: readonly number[]): Map<string, number[]> {
  return assignSticky(
    claims.map(({ id, claim }) => ({ id, owned: ownedOf(claim) })),
    partitions,
  );
}

/** What is not a list of partitions claims nothing. */
function ownedOf(claim: Uint8Array): number[] {
  try {
    const owned: unknown = JSON.parse(Buffer.from(claim).toString());
    return Array.isArray(owned) ? owned.filter((partition): partition is number => Number.isInteger(partition)) : [];
  } catch {
    return [];
  }
}
