// Keeps the first event of each type and version that has no fixture yet, from stored events on stdin, one JSON a line:
//   node packages/events/golden/write.ts < events.jsonl
// A fixture is never rewritten: logs in that form are out there, and every later version has to read them.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { checkPayload, hashInput, type StoredEvent } from '../src/index.ts';

const DIGESTS = new URL('digests.json', import.meta.url);

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

const digests = JSON.parse(readFileSync(DIGESTS, 'utf8')) as Record<string, string>;

for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line) as StoredEvent;
  const name = `${event.type}@${event.v}`;
  if (event.data === null || Object.hasOwn(digests, name)) continue;
  checkPayload(event.type, event.v, JSON.parse(event.data));
  if (event.dataHash !== sha256(event.data) || event.hash !== sha256(hashInput(event))) {
    console.error(`${name}: its hash does not verify. Take the event from an export, as it is stored.`);
    process.exitCode = 1;
    continue;
  }
  const bytes = `${JSON.stringify(event, null, 2)}\n`;
  writeFileSync(new URL(`${name}.json`, import.meta.url), bytes, { flag: 'wx' });
  digests[name] = sha256(bytes);
  console.log(`${name}.json`);
}
const sorted = Object.fromEntries(Object.entries(digests).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(DIGESTS, `${JSON.stringify(sorted, null, 2)}\n`);
