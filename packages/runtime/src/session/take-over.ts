import { DreamfoldError, newEvent, type NewEvent, type SessionClaimed } from '@dreamfold/events';
import { recovered, type SessionState } from '@dreamfold/core';
import { changedTools, type Team } from '../team/team.ts';

/**
 * The lead and what runs go on as the agents that they are; a specialist that is done may be gone.
 * @throws DreamfoldError unknown_agent
 */
export function checkSameAgents({ id, threads }: SessionState, { agents, snapshot }: Team): void {
  const missing = [...new Set(threads.filter(({ parent, running }) => parent === null || running).map(({ agent }) => agent))].filter(
    (name) => !agents.has(name),
  );
  if (missing.length === 0) return;
  throw new DreamfoldError('unknown_agent', `The team of ${snapshot.lead} lacks agents of ${id}: ${missing.join(', ')}`, {
    path: 'team',
    value: missing,
    remedy: 'Resume it with the team that it was started with; its agents may change, but not their names.',
  });
}

/** The claim of a session, the team that it goes on with when that is another, and what becomes of what was under way. */
export function takeOver(state: SessionState, team: Team, claimed: SessionClaimed): NewEvent[] {
  const sameTeam = JSON.stringify(state.team) === JSON.stringify(team.snapshot);
  return [
    claim(claimed),
    ...(sameTeam
      ? []
      : [newEvent('session.team_updated', 'system', { team: team.snapshot, changed_tools: changedTools(state.team, team.snapshot) })]),
    ...recovered(state),
  ];
}

/** The event by which a process takes a session: whoever held an older epoch can write no more. */
export function claim(claimed: SessionClaimed): NewEvent {
  return newEvent('session.claimed', 'system', claimed);
}

/** The nonce of the claim among events, null when there is none. */
export function nonceIn(events: readonly NewEvent[]): string | null {
  const claim = events.find(({ type }) => type === 'session.claimed');
  return claim === undefined ? null : (claim.data as { nonce: string }).nonce;
}
