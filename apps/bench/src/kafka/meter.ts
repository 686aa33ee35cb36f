import { interleave } from '../rounds.ts';
import { least, median, rounded } from '../statistics.ts';

/** µs for an event, by the clock and of this process's processors. */
export interface Cost {
  us: number;
  cpuUs: number;
}

/** What the rounds gave: the median, and the least. */
export interface Costs {
  us: { min: number; median: number };
  cpuUs: { min: number; median: number };
  perSecond: number;
}

/** Something that handles events. @returns how many */
export interface Metered<Name extends string> {
  name: Name;
  work: () => Promise<number>;
}

/** Gives all their turns, as {@link interleave} does. */
export async function meter<Name extends string>(
  metered: readonly Metered<Name>[],
  rounds: number,
  progress: (round: number) => void,
): Promise<Record<Name, Cost[]>> {
  const costs = Object.fromEntries(metered.map(({ name }) => [name, [] as Cost[]])) as Record<Name, Cost[]>;
  const measure = async ({ name, work }: Metered<Name>): Promise<number> => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const events = await work();
    const us = ((performance.now() - start) * 1000) / events;
    const { user, system } = process.cpuUsage(cpu);
    costs[name].push({ us, cpuUs: (user + system) / events });
    return us;
  };
  await interleave(
    metered.map((one) => ({ name: one.name, measure: () => measure(one) })),
    rounds,
    progress,
  );
  return costs;
}

export function summariseCosts(costs: readonly Cost[]): Costs {
  const of = (values: number[]): { min: number; median: number } => ({ min: rounded(least(values)), median: rounded(median(values)) });
  const us = of(costs.map((cost) => cost.us));
  return { us, cpuUs: of(costs.map((cost) => cost.cpuUs)), perSecond: Math.round(1e6 / us.median) };
}

/** How much of the rate of `base` the other reaches, round by round: the median, by the clock and by processor time. */
export function rateTo(base: readonly Cost[], other: readonly Cost[]): { ratio: number; cpuRatio: number } {
  return {
    ratio: rounded(median(base.map(({ us }, i) => us / other[i]!.us))),
    cpuRatio: rounded(median(base.map(({ cpuUs }, i) => cpuUs / other[i]!.cpuUs))),
  };
}
