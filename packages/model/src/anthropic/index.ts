/**
 * Claude, and what speaks the Messages API.
 * @module @dreamfold/model/anthropic
 */
export { anthropic, type AnthropicOptions } from './anthropic-model.ts';
