export { anthropic, type AnthropicOptions } from './anthropic-model.ts';
