import { idOfStream } from '@dreamfold/events';
import { citedStreams, evolveCited, NOTHING_CITED } from '@dreamfold/views';
import type { Dreamfold } from 'dreamfold';
import { counted } from './counted.ts';
import { EventLines } from './event-lines.ts';
import type { Io } from '../io.ts';
import { oneLine } from './printable.ts';

const REQUEST_CHARS = 120;

/**
 * What the evidence says: for each session whose it is and what was asked for, then the events that are cited.
 * @param refs as `stream#seq`
 * @param sessions how many sessions to tell of; the rest is counted
 * @param more the command that tells of all
 */
export async function evidenceLines(
  dreamfold: Dreamfold,
  refs: readonly string[],
  { io, sessions, more }: { io: Io; sessions: number; more: string },
): Promise<string[]> {
  const cited = citedStreams(refs);
  const lines: string[] = [];
  for (const { stream, seqs } of cited.slice(0, sessions)) {
    if (stream.startsWith('session/')) lines.push(...(await sessionLines(dreamfold, idOfStream(stream), { io, seqs })));
    else lines.push(`${stream} ${[...seqs].map((seq) => `#${seq}`).join(' ')}`);
  }
  const rest = cited.length - sessions;
  if (rest > 0) lines.push(io.withTyped(`and ${counted(rest, 'more session')}: \`dreamfold ${more}\``));
  return lines;
}

async function sessionLines(dreamfold: Dreamfold, id: string, { io, seqs }: { io: Io; seqs: ReadonlySet<number> }): Promise<string[]> {
  const teller = new EventLines(io);
  let about = NOTHING_CITED;
  const lines: string[] = [];
  for await (const event of dreamfold.events(id)) {
    about = evolveCited(about, event);
    const told = teller.of(event);
    if (seqs.has(event.seq)) lines.push(`  #${event.seq} ${told.map((line) => line.trim()).join(' ') || event.type}`);
  }
  return [`${id} of ${oneLine(about.principal, 64)}: ${oneLine(about.request, REQUEST_CHARS)}`, ...lines];
}
