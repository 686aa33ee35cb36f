import { Content, text, type ContentBlock, type EventData } from '@dreamfold/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GivenSession, givenAgent, givenTool } from '../../testing/given-session.ts';
import type { AnswerBlock } from '../answer-parts.ts';
import { sendMessage } from '../commands/commands.ts';
import { givenContent } from '../commands/given-content.ts';
import { renderRequest, type RequestBlock } from '../prompt.ts';

const word = fc.stringMatching(/^[a-z<"\\é漢]{1,8}$/);
const base64 = fc.constantFrom('iVBORw0KGgo=', 'AA==', 'Zm9vYmFy');
const more = fc.constantFrom({}, { b: 1, a: { deep: [null, true, 'x'] } }, { cache_control: { type: 'ephemeral' } });

const source = fc.oneof(
  base64.map((data) => ({ type: 'base64' as const, media_type: 'image/png', data })),
  word.map((data) => ({ type: 'text' as const, media_type: 'text/plain', data })),
  word.map((url) => ({ type: 'url' as const, url })),
);
const given: fc.Arbitrary<ContentBlock> = fc.oneof(
  word.map((value) => text(value)[0]),
  fc.tuple(source, more).map(([s, rest]) => ({ type: 'image' as const, source: s, ...rest })),
  fc.tuple(source, word, more).map(([s, title, rest]) => ({ type: 'document' as const, source: s, title, ...rest })),
  word.map((title) => ({ type: 'search_result' as const, title, source: title, content: [{ type: 'text' as const, text: title }] })),
  fc.tuple(word, more).map(([data, rest]) => ({ type: 'unknown' as const, block_type: 'audio', block: { type: 'audio', data, ...rest } })),
);
const said: fc.Arbitrary<AnswerBlock> = fc.oneof(
  given as fc.Arbitrary<AnswerBlock>,
  word.map((value) => ({ type: 'text' as const, text: value, citations: [{ type: 'page', page: 1 }] })),
  fc.tuple(word, more).map(([thinking, rest]) => ({ type: 'thinking' as const, thinking, signature: thinking, ...rest })),
  word.map((data) => ({ type: 'redacted_thinking' as const, data })),
  word.map((query) => ({ type: 'server_tool_use' as const, id: query, name: 'web_search', input: { query } })),
  word.map((id) => ({ type: 'mcp_tool_result' as const, tool_use_id: id, content: [{ type: 'text', text: id }] })),
);
const CALL: AnswerBlock = { type: 'tool_use', name: 'look', input: { at: 'it' } };

/** Blocks with plain texts that stand side by side as one: a request joins those of one event. */
const isText = (block: RequestBlock): block is Extract<RequestBlock, { type: 'text' }> => block.type === 'text';

describe('any blocks', () => {
  test('stand in a request as they were given and said', () => {
    const cases = fc.record({
      asked: fc.array(given, { minLength: 1, maxLength: 4 }),
      answered: fc.array(said, { maxLength: 5 }),
      result: fc.array(given, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(cases, ({ asked, answered, result }) => {
        const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [givenTool('look')] })] });
        session.answers('lead', 'Yes?');
        session.when((state) => sendMessage(state, asked));
        session.answers('lead', [], { content: [...answered, CALL], stopReason: 'tool_use' });
        session.finishes('look', { text: '', content: result });
        for (const { type, data } of session.events) if (type === 'agent.message') checkStored(data as EventData['agent.message']);
        const [, , user, assistant, results] = renderRequest(
          { model: 'm', system: '', tools: [], maxTokens: 1 },
          session.thread('lead').messages,
          null,
        ).messages;
        expect(json(user!.content)).toEqual(json(joined(asked)));
        expect(json(assistant!.content.slice(0, -1))).toEqual(json(answered));
        const [{ content, blocks = text(content) }] = results!.content as [Extract<RequestBlock, { type: 'tool_result' }>];
        expect(json(blocks)).toEqual(json(joined(result)));
      }),
      { numRuns: 300 },
    );
  });

  test('but text add to what a thread holds, until it is compacted', () => {
    const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [givenTool('look')] })] });
    expect(session.thread('lead').holds).toEqual([]);
    session.answers('lead', [], { content: [{ type: 'thinking', thinking: 'a', signature: 's' }, CALL], stopReason: 'tool_use' });
    session.finishes('look', { text: '', content: givenContent([{ type: 'audio' }, { type: 'audio' }], 'x') });
    expect(session.thread('lead').holds).toEqual(['thinking', 'unknown']);
  });
});

/** What stands on the log is read as it was written. */
function checkStored({ content }: EventData['agent.message']): void {
  expect(Content.parse(JSON.parse(JSON.stringify(content)))).toEqual(content);
}

function json(blocks: readonly unknown[]): string[] {
  return blocks.map((block) => JSON.stringify(block));
}

/** Plain text alone is one block. */
function joined(blocks: readonly ContentBlock[]): readonly ContentBlock[] {
  return blocks.every(isText) ? text(blocks.map((block) => block.text).join('\n')) : blocks;
}
