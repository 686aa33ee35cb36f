import { Worker } from 'node:worker_threads';

/** Jobs that run at once, each in a thread of its own: as many as the machine has cores. */
const AT_ONCE = 2;

/**
 * Runs a module once for each job, in a thread of its own.
 * @param module it reads its job from `workerData` and posts what comes of it
 * @returns what comes of the jobs, in their order
 */
export async function runJobs<Result>(module: URL, { jobs, onDone }: { jobs: readonly unknown[]; onDone: () => void }): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...jobs.keys()];
  const work = async (): Promise<void> => {
    for (let i = left.shift(); i !== undefined; i = left.shift()) {
      results[i] = await runJob<Result>(module, jobs[i]);
      onDone();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

function runJob<Result>(module: URL, job: unknown): Promise<Result> {
  const worker = new Worker(module, { workerData: job });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`A job of ${module.pathname} ended with ${code} and said nothing.`)));
  });
}
