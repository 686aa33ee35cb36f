import type { Room } from '../mutant.ts';

const at = (path: string): string => `packages/log-kafka/src/${path}`;
const CODEC = [at('partition/record-codec.test.ts')];

/** What the log on Kafka decides without a broker. */
export const LOG_KAFKA: Room = {
  room: 'log-kafka',
  mutants: [
    {
      name: 'record-of-another-stream',
      what: 'A record under the key of another stream would count in the wrong partition.',
      file: at('partition/record-codec.ts'),
      find: 'textOf(key) !== envelope.stream) return null;',
      replace: 'textOf(key) === null) return null;',
      tests: CODEC,
    },
    {
      name: 'envelope-written-otherwise',
      what: 'Bytes of an envelope could change unseen.',
      file: at('partition/record-codec.ts'),
      find: 'return envelopeText(envelope) === text ? envelope : null;',
      replace: "return typeof envelope.append === 'object' ? envelope : null;",
      tests: CODEC,
    },
    {
      name: 'seal-of-another-event',
      what: 'A sealed payload could be put into another record.',
      file: at('partition/record-codec.ts'),
      find: 'return owned && seal.digest === sealDigest(envelope.hash, seal.key, value);',
      replace: 'return owned;',
      tests: CODEC,
    },
    {
      name: 'key-of-another-stream',
      what: 'Erasing a stream would leave payloads that were sealed under the key of another one.',
      file: at('partition/record-codec.ts'),
      find: 'seal.key.startsWith(`${stream} `) &&',
      replace: '',
      tests: CODEC,
    },
    {
      name: 'seal-bound-to-its-envelope',
      what: 'A payload would open in another event of the same key.',
      file: at('erasure/seal.ts'),
      find: `const cipher = createDecipheriv(CIPHER, createSecretKey(key), sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(envelopeHash));`,
      replace: `const cipher = createDecipheriv(CIPHER, createSecretKey(key), sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(envelopeHash.slice(0, 0)));`,
      tests: [at('erasure/seal.test.ts')],
    },
    {
      name: 'tag-of-a-seal',
      what: 'Changed ciphertext would open to changed text.',
      file: at('erasure/seal.ts'),
      find: `  } catch {
    return null;
  }
  return isUtf8(opened)`,
      replace: `  } catch {}
  return isUtf8(opened)`,
      tests: [at('erasure/seal.test.ts')],
    },
    {
      name: 'key-that-was-destroyed',
      what: 'An erased payload could be opened again with what is left of the keys.',
      file: at('erasure/key-tree.ts'),
      find: 'nodes.delete(cover);',
      replace: '',
      tests: [at('erasure/key-tree.test.ts')],
    },
    {
      name: 'siblings-of-a-destroyed-key',
      what: 'Erasing one event would erase its neighbours.',
      file: at('erasure/key-tree.ts'),
      find: 'if (digit !== leaf![depth]) nodes.set',
      replace: 'if (digit > leaf![depth]!) nodes.set',
      tests: [at('erasure/key-tree.test.ts')],
    },
    {
      name: 'copies-of-an-erased-payload',
      what: 'Whoever reads both topics could open what an append that lost a race left there.',
      file: at('erasure/key-ring.ts'),
      find: '[seq, ...copies.filter(({ keyId }) => keyId === id).map((copy) => copy.seq)]',
      replace: '[seq, ...copies.filter(() => false).map((copy) => copy.seq)]',
      tests: [at('erasure/key-ring.test.ts')],
    },
    {
      name: 'keys-of-another-root',
      what: 'A tree that somebody made up would take the place of keys that open what is on the log.',
      file: at('erasure/key-tree.ts'),
      find: 'path.slice(cover.length)), key) !== 0) return null;',
      replace: 'path.slice(cover.length)), key) > 1) return null;',
      tests: [at('erasure/key-tree.test.ts')],
    },
    {
      name: 'sent-record-with-other-bytes',
      what: 'A record that the broker changed would be taken for what was sent.',
      file: at('partition/sent-records.ts'),
      find: 'Buffer.compare(value, sent.value) !== 0) return false;',
      replace: 'value.length !== sent.value.length) return false;',
      tests: [at('partition/sent-records.test.ts')],
    },
    {
      name: 'partition-of-a-stream',
      what: 'Another build would look for a stream in another partition.',
      file: at('partition/partition-of.ts'),
      find: "hash('sha256', stream, 'buffer').readUInt32BE()",
      replace: "hash('sha256', stream, 'buffer').readUInt32LE()",
      tests: [at('partition/partition-of.test.ts')],
    },
    {
      name: 'topic-that-forgets',
      what: 'A topic that deletes old records would be taken for a log.',
      file: at('topics/topics-spec.ts'),
      find: 'return AT_MOST.has(name) ? Number(actual) <= Number(wanted) : actual === wanted;',
      replace: 'return AT_MOST.has(name) ? Number(actual) <= Number(wanted) : true;',
      tests: [at('topics/topics-spec.test.ts')],
    },
    {
      name: 'one-broker-is-enough',
      what: 'An acknowledged record could be on one broker alone.',
      file: at('topics/topics-spec.ts'),
      find: "replication >= 3 ? '2' : '1'",
      replace: "replication >= 4 ? '2' : '1'",
      tests: [at('topics/topics-spec.test.ts')],
    },
  ],
};
