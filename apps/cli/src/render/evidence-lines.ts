import { idOfStream, knownEvent, textOf } from '@dreamfold/events';
import type { Dreamfold } from 'dreamfold';
import { counted } from './counted.ts';
import { EventLines } from './event-lines.ts';
import type { Io } from '../io.ts';
import { oneLine } from './printable.ts';

const REQUEST_CHARS = 120;

/** An event that is cited, as `stream#seq`. */
export function splitRef(ref: string): { stream: string; seq: number } {
  const at = ref.lastIndexOf('#');
  return { stream: ref.slice(0, at), seq: Number(ref.slice(at + 1)) };
}

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
  const cited = Map.groupBy(refs.map(splitRef), ({ stream }) => stream);
  const lines: string[] = [];
  for (const [stream, events] of [...cited].slice(0, sessions)) {
    const seqs = new Set(events.map(({ seq }) => seq));
    if (stream.startsWith('session/')) lines.push(...(await sessionLines(dreamfold, idOfStream(stream), { io, seqs })));
    else lines.push(`${stream} ${[...seqs].map((seq) => `#${seq}`).join(' ')}`);
  }
  const rest = cited.size - sessions;
  if (rest > 0) lines.push(io.withTyped(`and ${counted(rest, 'more session')}: \`dreamfold ${more}\``));
  return lines;
}

async function sessionLines(dreamfold: Dreamfold, id: string, { io, seqs }: { io: Io; seqs: ReadonlySet<number> }): Promise<string[]> {
  const teller = new EventLines(io);
  let principal = '';
  let request = '';
  const lines: string[] = [];
  for await (const event of dreamfold.events(id)) {
    const known = knownEvent(event);
    const data = known?.data ?? null;
    if (known?.type === 'session.created' && data !== null) principal = known.data.principal;
    if (known?.type === 'user.define_outcome' && data !== null) request ||= known.data.description;
    if (known?.type === 'user.message' && data !== null) request ||= textOf(known.data.content);
    const told = teller.of(event);
    if (seqs.has(event.seq)) lines.push(`  #${event.seq} ${told.map((line) => line.trim()).join(' ') || event.type}`);
  }
  return [`${id} of ${oneLine(principal, 64)}: ${oneLine(request, REQUEST_CHARS)}`, ...lines];
}
