import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_VERSION } from '../packages/events/src/index.ts';
import { eventReference } from './generate-event-reference.ts';

const page = eventReference();

test('docs/events.md is what the catalogue says', () => {
  const written = readFileSync(new URL('events.md', import.meta.url), 'utf8');
  expect(written === page, 'docs/events.md is stale: run "pnpm docs:events" and commit the page.').toBe(true);
});

test('every event has a section, and every link leads to one', () => {
  for (const [type, v] of Object.entries(EVENT_VERSION)) expect(page).toContain(`### \`${type}\` v${v}\n`);
  const headings = new Set([...page.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!.toLowerCase()));
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((link) => !headings.has(link))).toEqual([]);
});

test('fields come with their type, their limits and the comment beside them', () => {
  expect(page).toContain('| `principal` | string 1–200 characters | Whose request it is: a customer, a tenant, a repository;');
  expect(page).toContain('| `team` | [TeamSnapshot](#teamsnapshot) |');
  expect(page).toContain('| `confidence` (optional) | number 0–1 |');
  expect(page).toContain('| `verdict` | "right" \\| "wrong" |');
});
