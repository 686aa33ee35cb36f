import { GENESIS_HASH, hashInput, type StoredEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { sha256 } from './append.ts';
import { simulate } from '../simulation/rule-simulation.ts';
import { ALL_PARTS, type Parts, type Weather } from '../simulation/simulated-node.ts';
import { EMPTY_HEAD, fate, foldRecord, isAnchored, advanceAnchor, ANCHOR_AT_START, type RuleContext } from './rule.ts';

const WEATHERS: Record<string, Weather> = {
  calm: {},
  crashes: { crashes: true },
  torn: { torn: true, crashes: true },
  damaged: { damaged: true, torn: true },
  pipelined: { pipelined: true },
  owners: { owners: true, crashes: true },
  'old code': { oldCode: true },
  truncated: { truncated: true, crashes: true },
  everything: { crashes: true, torn: true, damaged: true, pipelined: true, owners: true, oldCode: true },
};

/** Seeds of one run, spread over the weathers. A longer run takes more: SIMULATION_SEEDS=1000000. */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 10_000);

describe('the rule of acceptance, simulated', () => {
  it(`holds in ${SEEDS} runs`, { timeout: SEEDS * 60 }, () => {
    const names = Object.keys(WEATHERS);
    const failed: string[] = [];
    let counted = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const name = names[seed % names.length]!;
      const outcome = simulate(seed, WEATHERS[name]!);
      counted += outcome.counted;
      if (outcome.failures.size > 0) failed.push(`seed ${seed}, ${name}: ${[...outcome.failures].join(', ')}`);
    }
    expect(failed).toEqual([]);
    expect(counted).toBeGreaterThan(SEEDS * 5);
  });

  it('runs the same way again', () => {
    expect(simulate(7, WEATHERS['everything']!)).toEqual(simulate(7, WEATHERS['everything']!));
  });

  // Where each part is needed, and what goes wrong without it.
  const needed: readonly { part: keyof Parts; weather: keyof typeof WEATHERS; failure: string; seeds: number }[] = [
    { part: 'intact', weather: 'damaged', failure: 'damaged record counted', seeds: 50 },
    { part: 'wholeAppend', weather: 'torn', failure: 'append counted in part', seeds: 50 },
    { part: 'chain', weather: 'calm', failure: 'fork', seeds: 50 },
    { part: 'uniqueId', weather: 'crashes', failure: 'request counted twice', seeds: 300 },
    { part: 'epoch', weather: 'owners', failure: 'zombie wrote', seeds: 300 },
    { part: 'awaitFate', weather: 'pipelined', failure: 'refused append counted', seeds: 300 },
    { part: 'resend', weather: 'pipelined', failure: 'waits for ever', seeds: 50 },
    { part: 'writerName', weather: 'owners', failure: 'two owners of one epoch', seeds: 50 },
    { part: 'versionBlind', weather: 'old code', failure: 'readers disagree', seeds: 50 },
    { part: 'anchor', weather: 'truncated', failure: 'truncation unnoticed', seeds: 100 },
    { part: 'term', weather: 'truncated', failure: 'truncation unnoticed', seeds: 1500 },
  ];
  it.each(needed)('fails without $part', ({ part, weather, failure, seeds }) => {
    const parts: Parts = { ...ALL_PARTS, [part]: false };
    const failures = Array.from({ length: seeds }, (_, i) => simulate(i + 1, WEATHERS[weather]!, parts).failures);
    expect(failures.filter((found) => (found as ReadonlySet<string>).has(failure)).length).toBeGreaterThan(0);
  });
});

const STREAM = 'session/sesn_1';

/** An append of `n` events after `prev`, as a careful writer stamps it. */
function append(
  id: string,
  after: { seq: number; hash: string },
  { n = 1, ...change }: Partial<StoredEvent> & { n?: number } = {},
): StoredEvent[] {
  let prev = after.hash;
  return Array.from({ length: n }, (_, i) => {
    const event: StoredEvent = {
      ...{ stream: STREAM, seq: after.seq + 1 + i, id: i === 0 ? id : `${id}-${i}`, time: 1, prev, hash: '', type: 'any.type', v: 1 },
      ...{ class: 'open', epoch: 0, append: { id, i, n }, writer: 'w', causation: null, correlation: null, actor: 'user' },
      ...{ dataHash: sha256('{}'), data: '{}', ...change },
    };
    event.hash = prev = sha256(hashInput(event));
    return event;
  });
}

/** Folds records in order. @returns a word for each verdict, and the head in the end */
function fold(records: readonly unknown[], inPartition?: (stream: string) => boolean): { words: string[]; seq: number } {
  let head = EMPTY_HEAD;
  const sizes = new Map<string, number>();
  const context: RuleContext = {
    hash: sha256,
    counted: { head: () => head, appendSize: (_, id) => sizes.get(id) ?? 0 },
    ...(inPartition === undefined ? {} : { inPartition }),
  };
  const words: string[] = [];
  let pending: readonly StoredEvent[] = [];
  for (const record of records) {
    const result = foldRecord(pending, record, context);
    pending = result.pending;
    for (const { records: judged, verdict } of result.judged) {
      words.push(verdict.counted ? 'counted' : verdict.reason);
      if (!verdict.counted) continue;
      head = verdict.head;
      sizes.set((judged[0] as StoredEvent).append.id, judged.length);
    }
  }
  return { words, seq: head.seq };
}

const START = { seq: 0, hash: GENESIS_HASH };

describe('the rule of acceptance', () => {
  const first = append('a', START, { n: 2 });
  const next = append('b', first[1]!);

  it('counts what follows the head, once', () => {
    expect(fold([...first, ...first, ...next, ...next])).toEqual({ words: ['counted', 'id_used', 'counted', 'id_used'], seq: 3 });
  });

  it('puts no append together from two attempts at it, though id, writer, time and place are the same', () => {
    const [one, other] = [append('x', START, { n: 2 }), append('x', START, { n: 2, actor: 'another' })];
    expect(fold([one[0], other[1]])).toEqual({ words: ['torn', 'torn'], seq: 0 });
    expect(fold([...one])).toEqual({ words: ['counted'], seq: 2 });
  });

  it('has one winner at a head', () => {
    expect(fold([...append('x', START), ...append('y', START)]).words).toEqual(['counted', 'head_passed']);
  });

  it('lets an append that came before the one it follows count later', () => {
    expect(fold([...next, ...first, ...next]).words).toEqual(['ahead', 'counted', 'counted']);
  });

  it('counts an append whole or not at all', () => {
    expect(fold([first[0], ...append('c', START), first[1]])).toEqual({ words: ['torn', 'counted', 'torn'], seq: 1 });
    expect(fold([first[1], first[0], ...first]).words).toEqual(['torn', 'torn', 'counted']);
  });

  it('takes an append for one only if one writer made it at one time', () => {
    const [one] = append('a', START, { n: 2 });
    const [, two] = append('a', START, { n: 2, writer: 'other' });
    const forged = { ...two!, prev: one!.hash };
    forged.hash = sha256(hashInput(forged));
    expect(fold([one, forged]).words).toEqual(['torn', 'torn']);
  });

  it('does not mix two attempts with one id', () => {
    const other = append('a', START, { n: 2, time: 2 });
    expect(fold([first[0], other[1], ...other]).words).toEqual(['torn', 'torn', 'counted']);
  });

  it('refuses an id that an event inside an earlier append had', () => {
    expect(fold([...first, ...append('a-1', first[1]!)]).words).toEqual(['counted', 'id_used']);
    expect(fold([...first, ...append('a-2', first[1]!)]).words).toEqual(['counted', 'counted']);
    const single = append('z-1', START);
    expect(fold([...single, ...append('z', single[0]!, { n: 2 })]).words).toEqual(['counted', 'id_used']);
  });

  it.each<[string, unknown]>([
    ['text', 'not a record'],
    ['null', null],
    ['an array', []],
    ['a changed field', { ...first[0], actor: 'somebody' }],
    ['a changed payload', { ...first[0], data: '{"a":1}' }],
    ['a field too many', { ...first[0], extra: 1 }],
    ['a missing field', { ...first[0], writer: undefined }],
    ['an id that does not follow from its append', append('a', START, { n: 1, id: 'b' })[0]],
    ['a place outside its append', append('a', START, { n: 1, append: { id: 'a', i: 1, n: 1 }, id: 'a-1' })[0]],
    ['an erased payload with a hash that is none', append('a', START, { data: null, dataHash: 'h' })[0]],
    ['an invalid stream', append('a', START, { n: 1, stream: 'nowhere' })[0]],
  ])('sets aside %s and goes on', (_, record) => {
    expect(fold([record, ...first])).toEqual({ words: ['broken', 'counted'], seq: 2 });
  });

  it('sets aside what belongs in another partition', () => {
    expect(fold(first, () => false).words).toEqual(['broken', 'broken']);
  });

  it('takes the hash of an erased payload for its payload', () => {
    expect(fold(first.map((event) => ({ ...event, data: null }))).words).toEqual(['counted']);
  });

  it('does not look at types and versions', () => {
    expect(fold(append('n', START, { n: 1, type: 'from.the_future', v: 99 })).words).toEqual(['counted']);
  });

  it('fences by epochs', () => {
    const size = (): number => 0;
    const head = { seq: 4, hash: 'h', epoch: 2 };
    const judged = (events: { class: 'open' | 'owner' | 'claim'; epoch: number }[]): unknown =>
      fate(head, { id: 'e', seq: 5, prev: 'h', events }, { appendSize: size });
    expect(judged([{ class: 'owner', epoch: 2 }])).toEqual({ epoch: 2 });
    expect(judged([{ class: 'owner', epoch: 1 }])).toBe('fenced');
    expect(judged([{ class: 'owner', epoch: 3 }])).toBe('ahead');
    expect(judged([{ class: 'open', epoch: 0 }])).toEqual({ epoch: 2 });
    expect(judged([{ class: 'claim', epoch: 2 }])).toBe('fenced');
    expect(judged([{ class: 'claim', epoch: 4 }])).toBe('ahead');
    expect(
      judged([
        { class: 'claim', epoch: 3 },
        { class: 'owner', epoch: 3 },
      ]),
    ).toEqual({ epoch: 3 });
    expect(
      judged([
        { class: 'claim', epoch: 3 },
        { class: 'owner', epoch: 2 },
      ]),
    ).toBe('fenced');
  });

  it('holds a reader to what it has read', () => {
    const record = { bytes: 'r1', term: 1 };
    const anchor = advanceAnchor(ANCHOR_AT_START, record, sha256);
    expect(isAnchored(ANCHOR_AT_START, null, sha256)).toBe(true);
    expect(isAnchored(anchor, record, sha256)).toBe(true);
    expect(isAnchored(anchor, null, sha256)).toBe(false);
    expect(isAnchored(anchor, { bytes: 'r2', term: 1 }, sha256)).toBe(false);
    expect(isAnchored(anchor, { bytes: 'r1', term: 2 }, sha256)).toBe(false);
  });
});
