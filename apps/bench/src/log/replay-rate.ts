import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { open } from 'dreamfold';
import { interleave, sample, summarise, type BenchOptions, type Progress, type Summary } from '../rounds.ts';
import { least, median, rounded } from '../statistics.ts';

export interface ReplayRate {
  sessions: number;
  events: number;
  /** µs per event. */
  replay: Summary;
  bare: Summary;
  /** How much of the bare read's rate is reached. */
  ratio: number;
  medianRatio: number;
}

/** Reads and folds recorded sessions, beside selecting the same rows and parsing the payloads. */
export async function measureReplay(directory: string, options: BenchOptions, progress: Progress): Promise<ReplayRate> {
  const dreamfold = await open({ directory, readOnly: true });
  const db = new DatabaseSync(join(directory, 'log.db'), { readOnly: true });
  try {
    const ids: string[] = [];
    for await (const id of dreamfold.sessions()) ids.push(id);
    const streams = ids.map((id) => db.prepare('SELECT id FROM streams WHERE name = ?').get(`session/${id}`)!['id'] as number);
    const select = db.prepare('SELECT * FROM events WHERE stream = ? ORDER BY seq');
    let events = 0;
    const replay = async (): Promise<void> => {
      events = 0;
      for (const id of ids) events += (await dreamfold.session(id)).seq;
    };
    const bare = (): Promise<unknown> => {
      let last: unknown;
      for (const stream of streams) {
        for (const { data } of select.all(stream)) last = JSON.parse(data as string);
      }
      return Promise.resolve(last);
    };
    const perEvent = (work: () => Promise<unknown>) => async (): Promise<number> => {
      await sample(work, options.warmMs);
      const figures: number[] = [];
      for (let i = 0; i < options.samples; i += 1) figures.push((await sample(work, options.sampleMs)).us / events);
      return least(figures);
    };
    await replay();
    const figures = await interleave(
      [
        { name: 'replay', measure: perEvent(replay) },
        { name: 'bare', measure: perEvent(bare) },
      ],
      options.rounds,
      (round) => progress(`replay: round ${round} of ${options.rounds}`),
    );
    return {
      sessions: ids.length,
      events,
      replay: summarise(figures.replay),
      bare: summarise(figures.bare),
      ratio: rounded(least(figures.bare) / least(figures.replay)),
      medianRatio: rounded(median(figures.bare) / median(figures.replay)),
    };
  } finally {
    db.close();
    await dreamfold.close();
  }
}
