import { checked, Content, textOf as textIn } from '@dreamfold/events';

/**
 * The text of content: of its text blocks alone, joined by newlines.
 * @param content of an event: `data.content`
 * @throws DreamfoldError invalid_argument for what is no content
 */
export function textOf(content: Content | undefined): string {
  return textIn(checked(Content.optional(), content, { what: 'textOf()', name: 'content' }));
}
