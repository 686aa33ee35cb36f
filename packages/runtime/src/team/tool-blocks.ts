import { givenContent, type GivenBlock } from '@dreamfold/core';
import type { Content } from '@dreamfold/events';

/** What a tool returns when it is more than text: see {@link blocks}. */
export class ToolBlocks {
  readonly content: Content;

  constructor(content: Content) {
    this.content = content;
  }
}

/**
 * What a tool returns when it is more than text: images, documents, search results. Anything else that a tool returns, a list with a
 * `type` in each entry too, is JSON to the model.
 * @param given blocks as the Messages API has them
 * @throws DreamfoldError invalid_argument, with the path of the block and field
 */
export function blocks(given: readonly GivenBlock[]): ToolBlocks {
  return new ToolBlocks(givenContent(given, 'blocks'));
}
