// pnpm sim [--seed N | --seeds COUNT] [--from N]: worlds by their seeds; one that fails tells its story.
import { parseArgs } from 'node:util';
import { World } from './world.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string', default: '2000' }, from: { type: 'string', default: '1' } },
});
const isOne = values.seed !== undefined;
const from = Number(values.seed ?? values.from);
const count = isOne ? 1 : Number(values.seeds);
const startedAt = performance.now();
let failed = 0;
let events = 0;
for (let seed = from; seed < from + count; seed += 1) {
  const outcome = await new World(seed).run();
  events += outcome.events;
  if (isOne || outcome.problems.length > 0) console.log(outcome.story.join('\n'));
  if (outcome.problems.length === 0) continue;
  failed += 1;
  console.log(`Seed ${seed} failed; again with: pnpm sim --seed ${seed}\n${outcome.problems.map((problem) => `  ${problem}`).join('\n')}`);
  if (failed === 10) break;
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(`${count} worlds, ${events} events, ${failed} failed, ${seconds} s`);
process.exitCode = failed > 0 ? 1 : 0;
