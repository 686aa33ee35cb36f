import { DreamfoldError } from '@dreamfold/events';
import type { SessionTeam } from '../session/session-host.ts';

/** @throws DreamfoldError invalid_argument: there is no team, or two of one lead */
export function byLead(teams: readonly SessionTeam[]): ReadonlyMap<string, SessionTeam> {
  const known = new Map(teams.map((one) => [one.team.snapshot.lead, one]));
  if (known.size === teams.length && known.size > 0) return known;
  const leads = teams.map(({ team }) => team.snapshot.lead);
  throw new DreamfoldError('invalid_argument', known.size === 0 ? 'A worker needs a team' : `Two teams have the lead ${repeated(leads)}`, {
    path: 'teams',
    value: leads,
    remedy: known.size === 0 ? 'Give it one.' : 'Give each lead a name of its own: that is how a session finds its team.',
  });
}

function repeated(names: readonly string[]): string {
  return names.find((name, i) => names.indexOf(name) !== i)!;
}
