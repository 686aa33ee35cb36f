import { DreamfoldError, isDreamfoldError } from '@dreamfold/events';

interface Explained {
  code: 'store_unavailable' | 'permission_denied' | 'config_invalid';
  why: string;
  remedy: string;
}

const REACH = 'Check that the brokers run, that the addresses are theirs, and that the port is that of a Kafka listener.';
const SECURITY = 'Check whether this listener wants TLS or SASL, and that the URL says so.';

/** The error that a client wrapped, perhaps more than once, or the first of several. */
export function rootCause(error: unknown): Error {
  const root = error instanceof Error ? error : new Error(String(error));
  const [first] = root instanceof AggregateError ? (root.errors as unknown[]) : [root.cause];
  return first instanceof Error ? rootCause(first) : root;
}

/** The name that the protocol has for an error, such as `NOT_LEADER_OR_FOLLOWER`; undefined for one that no broker sent. */
export function protocolError(error: unknown): string | undefined {
  const { type, apiId } = rootCause(error) as { type?: unknown; apiId?: unknown };
  const name = type ?? apiId;
  return typeof name === 'string' ? name : undefined;
}

/** What a failure of a client means to the operator: always with the brokers' addresses, never with a secret. */
export function clientError(error: unknown, brokers: readonly string[], doing: string): DreamfoldError {
  if (isDreamfoldError(error)) return error;
  const root = rootCause(error);
  const { code, why, remedy } = explain(root, protocolError(root));
  return new DreamfoldError(code, `Kafka at ${brokers.join(', ')}: ${doing} failed: ${why}`, { remedy, value: [...brokers], cause: root });
}

function explain(root: Error, type: string | undefined): Explained {
  const { code: socketCode = '' } = root as NodeJS.ErrnoException;
  if (root.name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
    return { code: 'permission_denied', why: 'the user name or the password was refused.', remedy: 'Check the credentials of the URL.' };
  }
  if (type?.endsWith('_AUTHORIZATION_FAILED') === true) {
    return {
      code: 'permission_denied',
      why: `the broker says ${type}.`,
      remedy: 'Give this user the rights that it asks for (kafka-acls --add).',
    };
  }
  if (root.name === 'KafkaJSGroupCoordinatorNotFound') {
    return {
      code: 'store_unavailable',
      why: `${root.message}.`,
      remedy: `This user may lack the right to READ the group (kafka-acls --add --operation READ --group). ${REACH}`,
    };
  }
  if (type === 'INVALID_SESSION_TIMEOUT') {
    return {
      code: 'config_invalid',
      why: `the broker says ${type}.`,
      remedy:
        'Set session_timeout_ms in the address of the log to what group.min.session.timeout.ms and group.max.session.timeout.ms allow.',
    };
  }
  if (type === 'ILLEGAL_SASL_STATE' || type === 'UNSUPPORTED_SASL_MECHANISM') {
    return { code: 'store_unavailable', why: `the broker says ${type}.`, remedy: SECURITY };
  }
  if (/CERT|SIGNATURE|ALTNAME|SELF_SIGNED/.test(socketCode)) {
    return { code: 'store_unavailable', why: `the certificate is not trusted (${socketCode}).`, remedy: 'Name the CA that signed it.' };
  }
  if (/SSL|TLS|EPROTO/.test(socketCode) || /ssl|tls/i.test(root.message)) {
    return { code: 'store_unavailable', why: `no TLS connection (${root.message}).`, remedy: SECURITY };
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return { code: 'store_unavailable', why: 'there is no such topic (UNKNOWN_TOPIC_OR_PARTITION).', remedy: 'Check the name of the log.' };
  }
  if (type !== undefined) return { code: 'store_unavailable', why: `the broker says ${type} (${root.message}).`, remedy: REACH };
  if (/closed|not Kafka/i.test(root.message)) return { code: 'store_unavailable', why: `${root.message}.`, remedy: `${REACH} ${SECURITY}` };
  return { code: 'store_unavailable', why: `${root.message}.`, remedy: REACH };
}
