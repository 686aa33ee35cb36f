import { MAX_EVENT_BYTES } from '@dreamfold/events';
import { answerTooLarge } from '../check-response.ts';
import { ModelError } from '../model-error.ts';

/** What one event of a stream takes at most; the SDK keeps all of it until it ends. */
const MAX_STREAM_EVENT_BYTES = 4 * MAX_EVENT_BYTES;
/** Of the page of an error only the beginning is told. */
const MAX_ERROR_PAGE_BYTES = 64 * 1024;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * `fetch` for a server that may be anybody's: a prompt goes nowhere but where it was sent, and nothing is read that nobody would keep.
 * @throws ModelError model_request_failed for a redirect; the body fails with payload_too_large
 */
export async function guardedFetch(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  if (REDIRECTS.has(response.status)) {
    await response.body?.cancel();
    throw redirected(url, response);
  }
  if (response.body === null) return response;
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(response.ok ? eventGuard() : pageGuard()), { status, statusText, headers });
}

function redirected(url: string | URL | Request, { status, headers }: Response): ModelError {
  const from = new URL(url instanceof Request ? url.url : url).origin;
  const to = (headers.get('location') ?? 'nowhere').slice(0, 200);
  return new ModelError(
    'model_request_failed',
    `${from} redirects to ${to} (${status}), and a prompt is sent to nobody but whom it is for`,
    {
      path: 'baseURL',
      value: to,
      remedy: 'Give the address that serves the model as baseURL, when you trust it.',
    },
  );
}

/** Lets events of a sensible size through. They end with an empty line. */
function eventGuard(): TransformStream<Uint8Array, Uint8Array> {
  let tail: Uint8Array = new Uint8Array();
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const seen = Buffer.concat([tail, chunk]);
      const end = Math.max(seen.lastIndexOf('\n\n'), seen.lastIndexOf('\r\n\r\n'));
      size = end < 0 ? size + chunk.length : seen.length - end;
      if (size > MAX_STREAM_EVENT_BYTES) return controller.error(answerTooLarge());
      tail = seen.subarray(-3);
      controller.enqueue(chunk);
    },
  });
}

function pageGuard(): TransformStream<Uint8Array, Uint8Array> {
  let left = MAX_ERROR_PAGE_BYTES;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) controller.terminate();
    },
  });
}
