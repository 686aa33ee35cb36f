// Two reviewers read a file of this repository side by side; the lead puts together what they find.
import { readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { agent, rubric, scripted, tool, type ModelRequest } from 'dreamfold';
import { z } from 'zod';

const ROOT = process.cwd();

const readFile = tool({
  name: 'read_file',
  description: 'Reads a file of the repository, with the number of each line.',
  input: z.object({ path: z.string() }),
  effect: 'pure',
  run: ({ path }) => {
    // A path comes from a model, so it is not to be trusted.
    const file = resolve(ROOT, path);
    if (!file.startsWith(ROOT + sep)) throw new Error(`${path} is outside the repository.`);
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line, i) => `${relative(ROOT, file)}:${i + 1}: ${line}`).join('\n');
  },
});

/** What stands last in a request: the task at first, then the results of the calls. */
function newest({ messages }: ModelRequest): { task: string | null; results: string[] } {
  const blocks = messages.at(-1)!.content;
  const task = blocks.find((block) => block.type === 'text')?.text.split('\n')[0] ?? null;
  return { task, results: blocks.flatMap((block) => (block.type === 'tool_result' ? [block.content] : [])) };
}

// The scripted reviewers look for one thing each. On a real model the system prompts do the work.
function reviewer(name: string, look: { system: string; finds: (line: string, before: string) => string | null }) {
  return agent({
    name,
    description: look.system,
    system: `${look.system} Read the file with read_file. One finding a line: file:line and what is wrong, no praise.`,
    tools: [readFile],
    model: scripted((request) => {
      const { task, results } = newest(request);
      if (results[0] === undefined) return { tool: 'read_file', input: { path: task ?? '' } };
      const lines = results[0].split('\n').map((line) => /^(\S+:\d+): ?(.*)$/.exec(line) ?? ['', '', '']);
      const findings = lines.flatMap(([, place, text = ''], i) => {
        const finding = look.finds(text, lines[i - 1]?.[2] ?? '');
        return finding === null ? [] : [`${place} ${finding}`];
      });
      return findings.join('\n') || 'Nothing.';
    }),
  });
}

const style = reviewer('style', {
  system: 'You look for lines that are hard to read.',
  finds: (line) => (line.length > 120 ? `is ${line.length} characters long` : null),
});
const docs = reviewer('docs', {
  system: 'You look for what is exported and not explained.',
  finds: (line, before) =>
    /^export (?:function|class|interface) \w/.test(line) && !before.endsWith('*/') ? 'is exported without a comment' : null,
});

const lead = agent({
  name: 'lead',
  system: 'Have every reviewer read the file, and list what they found, the gravest first.',
  team: [style, docs],
  model: scripted((request) => {
    const { task, results } = newest(request);
    if (results.length === 0) return [style, docs].map(({ name }) => ({ tool: 'delegate', input: { agent: name, message: task ?? '' } }));
    return results.filter((result) => result !== 'Nothing.').join('\n') || 'Nothing was found.';
  }),
});

export default {
  lead,
  rubric: rubric({
    criteria: [
      {
        id: 'places',
        ask: 'Every finding names the file and the line.',
        check: ({ text }) => text === 'Nothing was found.' || text.split('\n').every((line) => /^\S+:\d+ /.test(line)),
      },
    ],
  }),
};
