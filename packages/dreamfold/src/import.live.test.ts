import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

// Whoever keeps no log on Kafka does not wait for its client.
const PRINT_LOADED = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
console.log(loaded.join('\\n'));
`;

test('to import dreamfold loads nothing of Kafka', () => {
  const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', PRINT_LOADED], { encoding: 'utf8' });
  expect(loaded).toContain('/dreamfold/src/open.ts');
  expect(loaded).not.toMatch(/kafka/i);
});
