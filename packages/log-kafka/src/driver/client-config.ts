import type tls from 'node:tls';

export interface SaslConfig {
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  username: string;
  password: string;
}

/** How a client gets to the brokers. */
export interface ClientConfig {
  /** `host:port` of brokers to ask first; the others are learnt from them. */
  brokers: readonly string[];
  ssl?: tls.ConnectionOptions | boolean;
  sasl?: SaslConfig;
  clientId: string;
  /** How long `connect` may take. Default {@link DEFAULT_CONNECT_TIMEOUT_MS}. */
  connectTimeoutMs?: number;
}

export const DEFAULT_CONNECT_TIMEOUT_MS = 6_500;
/** An unanswered request is given up; also how soon a broker that hangs is noticed. */
export const REQUEST_TIMEOUT_MS = 10_000;
