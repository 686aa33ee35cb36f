import { hash } from 'node:crypto';
import type { MemoryBlock, PromptFrame, RequestBlock, RequestMessage, SessionState, Thread } from '@dreamfold/core';

/** sha-256 of text, as base64url. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

interface Chain {
  count: number;
  last: RequestMessage | undefined;
  digest: string;
  /** The user message that was hashed before it was on the log. */
  ahead: { content: readonly RequestBlock[]; digest: string } | null;
}

/** What stands before a thread's messages. */
interface RequestStart {
  frame: PromptFrame;
  memory: MemoryBlock | null;
}

/**
 * Digests of rendered requests. A request is digested as a chain, so that a turn costs what it adds and not the whole
 * conversation again: d0 = sha256(frame, memory), d(n+1) = sha256(d(n), message n).
 */
export class RequestDigests {
  readonly #chains = new Map<string, Chain>();
  readonly #start: (state: SessionState, thread: Thread) => RequestStart;

  constructor(start: (state: SessionState, thread: Thread) => RequestStart) {
    this.#start = start;
  }

  /** The digest of what a thread would send now. */
  of(state: SessionState, thread: Thread): string {
    const chain = this.#upTo(state, thread);
    if (thread.pending.length === 0) return chain.digest;
    chain.ahead = { content: thread.pending, digest: link(chain.digest, { role: 'user', content: thread.pending }) };
    return chain.ahead.digest;
  }

  #upTo(state: SessionState, thread: Thread): Chain {
    let chain = this.#chains.get(thread.id);
    if (
      chain === undefined ||
      chain.count > thread.messages.length ||
      (chain.count > 0 && thread.messages.at(chain.count - 1) !== chain.last)
    ) {
      const { frame, memory } = this.#start(state, thread);
      chain = {
        count: 0,
        last: undefined,
        digest: sha256(`${JSON.stringify(frame)}\n${memory === null ? '' : JSON.stringify(memory)}`),
        ahead: null,
      };
      this.#chains.set(thread.id, chain);
    }
    while (chain.count < thread.messages.length) {
      const message = thread.messages.at(chain.count) as RequestMessage;
      chain.digest = chain.ahead?.content === message.content ? chain.ahead.digest : link(chain.digest, message);
      chain.ahead = null;
      chain.last = message;
      chain.count += 1;
    }
    return chain;
  }
}

function link(digest: string, message: RequestMessage): string {
  return sha256(`${digest}\n${JSON.stringify(message)}`);
}
