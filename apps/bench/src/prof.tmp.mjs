import { mkdtempSync, rmSync } from 'node:fs';
const [kind, scenario, ms] = process.argv.slice(2);
const { Workload } = await import('./steps/workload.ts');
const m = await import('./steps/dreamfold-column.ts');
const w = new Workload();
const dir = mkdtempSync('/tmp/prof/ab-');
const col =
  kind === 'memory'
    ? m.memoryColumn(w)
    : kind === 'ai'
      ? (await import('./steps/ai-sdk-column.ts')).aiSdkColumn(w)
      : await m.sqliteColumn(w, dir);
for (let i = 0; i < 20; i++) await col.run(scenario);
const c0 = process.cpuUsage();
const t = Date.now();
let n = 0;
while (Date.now() - t < Number(ms)) {
  await col.run(scenario);
  n++;
}
const c = process.cpuUsage(c0);
console.log(kind, scenario, 'cpu us/step', ((c.user + c.system) / (n * w.expected(scenario).model)).toFixed(1));
await col.close();
rmSync(dir, { recursive: true });
