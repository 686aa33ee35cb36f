import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const MIN_ITERATIONS = 4096;
/** Beyond it a broker, or who stands in its place, would only keep a processor busy. */
const MAX_ITERATIONS = 1_000_000;

const derive = promisify(pbkdf2);

/**
 * The client's side of SCRAM, https://www.rfc-editor.org/rfc/rfc5802#section-3: shows that it knows the password without sending it, and
 * that the broker knows it too.
 */
export class ScramExchange {
  readonly #hash: 'sha256' | 'sha512';
  readonly #password: string;
  readonly #nonce: string;
  readonly #bare: string;
  #signature: Buffer | null = null;

  constructor(hash: 'sha256' | 'sha512', user: { username: string; password: string }, nonce = randomBytes(24).toString('base64')) {
    this.#hash = hash;
    this.#password = user.password;
    this.#nonce = nonce;
    this.#bare = `n=${user.username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  /** The first message. */
  get first(): string {
    return `n,,${this.#bare}`;
  }

  /**
   * The second message.
   * @param challenge what the broker said to the first
   * @throws Error when it is none, or a weak one
   */
  async answer(challenge: string): Promise<string> {
    const { r: nonce = '', s: salt = '', i = '' } = attributes(challenge);
    const iterations = Number(i);
    const isFit = nonce.startsWith(this.#nonce) && nonce.length > this.#nonce.length && salt !== '';
    if (!isFit || !(iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS)) throw new Error('the challenge of SCRAM is none');
    const length = this.#hash === 'sha256' ? 32 : 64;
    const salted = await derive(this.#password.normalize('NFKC'), Buffer.from(salt, 'base64'), iterations, length, this.#hash);
    const clientKey = this.#hmac(salted, 'Client Key');
    const unproved = `c=biws,r=${nonce}`;
    const said = `${this.#bare},${challenge},${unproved}`;
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), said);
    const proof = clientKey.map((byte, index) => byte ^ signature[index]!);
    this.#signature = this.#hmac(this.#hmac(salted, 'Server Key'), said);
    return `${unproved},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** @throws Error when who said this does not know the password */
  verify(outcome: string): void {
    const shown = Buffer.from(attributes(outcome)['v'] ?? '', 'base64');
    if (this.#signature === null || shown.length !== this.#signature.length || !timingSafeEqual(shown, this.#signature))
      throw new Error('the broker does not know the password');
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}

/** `r=…,s=…,i=…` */
function attributes(message: string): Record<string, string> {
  return Object.fromEntries(message.split(',').map((one) => [one.slice(0, 1), one.slice(2)]));
}
