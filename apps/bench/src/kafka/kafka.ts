import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { driverFor, type DriverRecord, type KafkaDriver, type KafkaPlace } from '@dreamfold/log-kafka';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { machine } from '../machine.ts';
import type { Bench, BenchOptions, Progress, Report } from '../rounds.ts';
import { inScratchDirectory } from '../scratch-directory.ts';
import { target, type Target } from '../target.ts';
import { targetTable, textTable } from '../text-table.ts';
import { withBrokers } from './broker.ts';
import { measureLatency, type Latency } from './latency.ts';
import { MeasuredLog } from './measured-log.ts';
import { meter, rateTo, summariseCosts, type Costs } from './meter.ts';
import { PlainKafkajs } from './plain-kafkajs.ts';
import { openPlatformaticDriver } from './platformatic-driver.ts';
import { APPEND_EVENTS, STREAMS, Workload } from './workload.ts';

/** Records of a raw produce request. */
const RAW_BATCH = 500;

const NAMES = ['dreamfold', 'platformatic'] as const;
type Name = (typeof NAMES)[number];

/** The log on Kafka beside what its driver does without it, on one broker and in one run, over its driver and another one. */
export const measureKafka: Bench = (options, progress) =>
  inScratchDirectory((directory) => withBrokers((brokers) => measure({ brokers, directory }, options, progress)));

interface Setting {
  logs: Record<Name, MeasuredLog>;
  /** Over its own driver too. The embedded log seals no payload either. */
  unsealed: MeasuredLog;
  plain: PlainKafkajs;
  workload: Workload;
  options: BenchOptions;
  progress: Progress;
}

async function measure(place: { brokers: string; directory: string }, options: BenchOptions, progress: Progress): Promise<Report> {
  const before = machine();
  const run = randomBytes(4).toString('hex');
  const open = (prefix: string, makeDriver: (place: KafkaPlace) => KafkaDriver): MeasuredLog =>
    new MeasuredLog({ url: `kafka://${place.brokers}/bench-${run}-${prefix}`, directory: place.directory, makeDriver });
  const logs = { dreamfold: open('dreamfold', driverFor), platformatic: open('platformatic', openPlatformaticDriver) };
  const unsealed = open('unsealed?erasure=off', driverFor);
  const plain = new PlainKafkajs(place.brokers);
  const all = [...Object.values(logs), unsealed];
  const setting = { logs, unsealed, plain, workload: new Workload(), options, progress };
  try {
    for (const name of NAMES) {
      progress(`${name}: a log of its own`);
      await logs[name].start();
      await setting.workload.append(logs[name].log, options.records / 4);
    }
    await unsealed.start();
    await plain.connect();
    try {
      const latency = {} as Record<Name, Latency>;
      for (const name of NAMES) latency[name] = await measureLatency(logs[name], setting.workload, { options, progress });
      const throughput = await measureThroughput(setting);
      const catchUp = await measureCatchUp(setting, place.directory);
      return report({ before, after: machine(), options, latency, throughput, catchUp });
    } finally {
      for (const log of all) await log.closeLog();
      await plain.close(all.flatMap(({ place: { topics }, rawTopic }) => [...Object.values(topics), rawTopic]));
    }
  } finally {
    for (const log of all) await log.close();
  }
}

interface Ratio {
  ratio: number;
  cpuRatio: number;
}

interface Throughput {
  costs: Record<`${Name}-${'log' | 'raw' | 'payload'}` | 'plain', Costs>;
  /** How much of a rate the log reaches: of its driver's, of its driver's without headers, of that of kafkajs as it comes. */
  ratios: Record<Name, { raw: Ratio; payload: Ratio; plain: Ratio }>;
}

async function measureThroughput({ logs, plain, workload, options, progress }: Setting): Promise<Throughput> {
  const whole = fill(await logs.dreamfold.records(), options.records);
  const payloads = whole.map((list) => list.map((record) => ({ ...record, headers: {} })));
  type Produce = (topic: string, partition: number, records: readonly DriverRecord[]) => Promise<void>;
  const producing = (to: MeasuredLog, produce: Produce, records: readonly DriverRecord[][]) => async (): Promise<number> => {
    await Promise.all(
      records.map(async (list, partition) => {
        for (let i = 0; i < list.length; i += RAW_BATCH) await produce(to.rawTopic, partition, list.slice(i, i + RAW_BATCH));
      }),
    );
    return records.reduce((sum, { length }) => sum + length, 0);
  };
  const candidatesOf = (name: Name) => {
    const { driver } = logs[name];
    const produce: Produce = (topic, partition, records) => driver.produce(topic, partition, records);
    return [
      { name: `${name}-log` as const, work: () => workload.append(logs[name].log, options.records) },
      { name: `${name}-raw` as const, work: producing(logs[name], produce, whole) },
      { name: `${name}-payload` as const, work: producing(logs[name], produce, payloads) },
    ];
  };
  const ofPlain = producing(logs.dreamfold, (topic, partition, records) => plain.produce(topic, partition, records), whole);
  const all = [...NAMES.flatMap(candidatesOf), { name: 'plain' as const, work: ofPlain }];
  // Code that has not been compiled yet says nothing.
  for (const { work } of all) await work();
  const costs = await meter(all, options.rounds, (round) => progress(`throughput: round ${round} of ${options.rounds}`));
  const ratiosOf = (name: Name) => {
    const log = costs[`${name}-log`];
    return {
      raw: rateTo(costs[`${name}-raw`], log),
      payload: rateTo(costs[`${name}-payload`], log),
      plain: rateTo(costs.plain, log),
    };
  };
  const summaries = Object.fromEntries(Object.entries(costs).map(([name, list]) => [name, summariseCosts(list)]));
  return {
    costs: summaries as Throughput['costs'],
    ratios: { dreamfold: ratiosOf('dreamfold'), platformatic: ratiosOf('platformatic') },
  };
}

/** As many records as are wanted, by repeating those that are there. */
function fill(records: readonly DriverRecord[][], wanted: number): DriverRecord[][] {
  const there = records.reduce((sum, { length }) => sum + length, 0);
  return records.map((list) => Array.from({ length: Math.round((list.length * wanted) / there) }, (_, i) => list[i % list.length]!));
}

interface CatchUp {
  events: number;
  costs: Record<Name | 'unsealed' | 'sqlite', Costs>;
  ratios: Record<Name | 'unsealed', Ratio>;
}

async function measureCatchUp({ logs, unsealed, workload, options, progress }: Setting, directory: string): Promise<CatchUp> {
  const { events } = await logs.dreamfold.rebuild();
  await workload.append(unsealed.log, events);
  const rebuilding = (log: MeasuredLog) => async (): Promise<number> => {
    const rebuilt = await log.rebuild();
    await log.closeLog();
    return rebuilt.events;
  };
  const embedded = join(directory, 'embedded');
  const appending = async (): Promise<number> => {
    mkdirSync(embedded);
    const log = await openSqliteLog({ directory: embedded });
    const appended = await workload.append(log, events);
    await log.close();
    rmSync(embedded, { recursive: true });
    return appended;
  };
  const all = [
    ...NAMES.map((name) => ({ name, work: rebuilding(logs[name]) })),
    { name: 'unsealed' as const, work: rebuilding(unsealed) },
    { name: 'sqlite' as const, work: appending },
  ];
  const costs = await meter(all, options.rounds, (round) => progress(`catch-up: round ${round} of ${options.rounds}`));
  return {
    events,
    costs: {
      dreamfold: summariseCosts(costs.dreamfold),
      platformatic: summariseCosts(costs.platformatic),
      unsealed: summariseCosts(costs.unsealed),
      sqlite: summariseCosts(costs.sqlite),
    },
    ratios: {
      dreamfold: rateTo(costs.sqlite, costs.dreamfold),
      platformatic: rateTo(costs.sqlite, costs.platformatic),
      unsealed: rateTo(costs.sqlite, costs.unsealed),
    },
  };
}

interface Measured {
  before: ReturnType<typeof machine>;
  after: ReturnType<typeof machine>;
  options: BenchOptions;
  latency: Record<Name, Latency>;
  throughput: Throughput;
  catchUp: CatchUp;
}

function report({ before, after, options, latency, throughput, catchUp }: Measured): Report {
  const targets = [
    ...NAMES.flatMap((name) => targetsOf(name, { latency, throughput, catchUp })),
    target('dreamfold, erasure=off: rate of catching up to that of embedded appends', catchUp.ratios.unsealed.ratio, {
      atLeast: 0.6,
      unit: '×',
    }),
  ];
  const lone = NAMES.map((name) => {
    const { append, raw, ratio } = latency[name];
    return [name, append.median, raw.median, ratio];
  });
  const row = (label: string, { us, cpuUs, perSecond }: Costs) => [label, us.median, us.min, cpuUs.median, cpuUs.min, perSecond];
  const { costs } = throughput;
  const rates = [
    ...NAMES.flatMap((name) => [
      row(`${name}: log, appends of ${APPEND_EVENTS} to ${STREAMS} streams`, costs[`${name}-log`]),
      row(`${name}: produce of the same records`, costs[`${name}-raw`]),
      row(`${name}: produce of their payloads alone`, costs[`${name}-payload`]),
    ]),
    row('kafkajs as it comes: produce of the same records', costs.plain),
    ...NAMES.map((name) => row(`${name}: replica of ${catchUp.events} events from nothing`, catchUp.costs[name])),
    row('dreamfold, erasure=off: the same', catchUp.costs.unsealed),
    row('embedded log: appends of the same events', catchUp.costs.sqlite),
  ];
  return {
    document: { bench: 'kafka', machine: before, loadAfter: after.load, options, latency, throughput, catchUp, targets },
    text: [
      textTable(['lone append, ms', 'confirmed', 'produced and read', 'ratio'], lone),
      textTable(['µs per event', 'median', 'min', 'CPU median', 'CPU min', 'a second'], rates),
      targetTable(targets),
      `load of the machine: ${before.load.toFixed(1)} before, ${after.load.toFixed(1)} after`,
    ].join('\n\n'),
  };
}

function targetsOf(name: Name, { latency, throughput, catchUp }: Pick<Measured, 'latency' | 'throughput' | 'catchUp'>): Target[] {
  const { raw, plain } = throughput.ratios[name];
  return [
    target(`${name}: confirmed append to produce and read`, latency[name].ratio, { atMost: 1.5, unit: '×' }),
    target(`${name}: rate of appends to that of the driver's produce`, raw.ratio, { atLeast: 0.7, unit: '×' }),
    target(`${name}: rate of appends to that of kafkajs as it comes`, plain.ratio, { atLeast: 0.7, unit: '×' }),
    target(`${name}: rate of catching up to that of embedded appends`, catchUp.ratios[name].ratio, { atLeast: 0.6, unit: '×' }),
  ];
}
