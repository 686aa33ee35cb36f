// pnpm sim [--seed N | --seeds COUNT] [--from N]: worlds by their seeds; one that fails tells its story.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { World } from './world.ts';

/** A process runs no more: what was in flight on a node when it was killed is never let go of. */
const SHARE = 1_000;
const MOST_FAILURES = 10;
const MAX_STORY_BYTES = 64 * 1024 * 1024;

interface Sum {
  worlds: number;
  events: number;
  failed: number;
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const startedAt = performance.now();
const sum: Sum = { worlds: 0, events: 0, failed: 0 };

async function runHere(): Promise<void> {
  for (let seed = from; seed < from + count && sum.failed < MOST_FAILURES; seed += 1) {
    const outcome = await new World(seed).run();
    sum.worlds += 1;
    sum.events += outcome.events;
    if (values.seed !== undefined || outcome.problems.length > 0) console.log(outcome.story.join('\n'));
    if (outcome.problems.length === 0) continue;
    sum.failed += 1;
    console.log(
      `Seed ${seed} failed; again with: pnpm sim --seed ${seed}\n${outcome.problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
  }
}

/** The last line of a process that was told --json is its sum. */
async function runShare(at: number): Promise<void> {
  const seeds = Math.min(SHARE, from + count - at);
  const args = [import.meta.filename, '--from', String(at), '--seeds', String(seeds), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: MAX_STORY_BYTES });
  const lines = stdout.trimEnd().split('\n');
  const share = JSON.parse(lines.pop()!) as Sum;
  if (lines.length > 0) console.log(lines.join('\n'));
  sum.worlds += share.worlds;
  sum.events += share.events;
  sum.failed += share.failed;
  console.error(`${sum.worlds} of ${count} worlds, ${sum.failed} failed`);
}

async function runInShares(): Promise<void> {
  let next = from;
  const runOneByOne = async (): Promise<void> => {
    while (next < from + count && sum.failed < MOST_FAILURES) {
      const at = next;
      next += SHARE;
      await runShare(at);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runOneByOne));
}

await (count > SHARE ? runInShares() : runHere());
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
if (values.json) console.log(JSON.stringify(sum));
else {
  console.log(`${sum.worlds} worlds, ${sum.events} events, ${sum.failed} failed, ${seconds} s`);
  process.exitCode = sum.failed > 0 ? 1 : 0;
}
