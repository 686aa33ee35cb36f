import { seeded } from '@dreamfold/core/testing';
import { eventId, hashInput, type StoredEvent, type WriteClass } from '@dreamfold/events';
import { EMPTY_HEAD, advanceAnchor, fate, foldRecord, isAnchored, isFinal, type RuleContext } from '../rule/rule.ts';
import {
  ALL_PARTS,
  Replica,
  SimulatedNode,
  type Attempt,
  type Failure,
  type LogRecord,
  type Outcome,
  type Parts,
  type Request,
  type Weather,
} from './simulated-node.ts';

// A seeded model of several writers and readers on one partition of a log that arbitrates nothing. The network loses,
// repeats, delays, reorders, tears and damages; nodes crash and come back from an old state, or work on after they have
// lost the stream; the log is cut short. The rule is the real one. What is switched off in `Parts` has to show as a failure.

const STREAM = 'session/sesn_simulated';
const STEPS = 130;
const NEWEST_CODE = 2;

/** @returns what went wrong: nothing, if the rule holds */
export function simulate(seed: number, weather: Weather, parts: Parts = ALL_PARTS): Outcome {
  const world = new World(seed, weather, parts);
  for (let i = 0; i < STEPS; i += 1) world.step();
  world.settleDown();
  return world.judge();
}

class World {
  readonly #random: () => number;
  readonly #weather: Weather;
  readonly #parts: Parts;
  readonly #hashes = new Map<string, string>();
  readonly #partition: LogRecord[] = [];
  #term = 1;
  #network: (readonly StoredEvent[])[] = [];
  readonly #nodes: SimulatedNode[];
  readonly #requests: Request[] = [];
  readonly #acknowledged: Attempt[] = [];
  readonly #refused: Attempt[] = [];
  readonly #damaged = new Set<StoredEvent>();
  readonly #cutOff = new Set<string>();
  readonly #owners = new Map<number, Set<string>>();
  readonly #failures = new Set<Failure>();
  /** Which of the first two nodes is told to own the stream. */
  #assigned = 0;

  constructor(seed: number, weather: Weather, parts: Parts) {
    this.#random = seeded(seed);
    this.#weather = weather;
    this.#parts = parts;
    this.#nodes = [0, 1, 2, 3].map((k) => new SimulatedNode(`w${k}`, weather.oldCode === true && k === 3 ? 1 : NEWEST_CODE));
  }

  readonly #hash = (text: string): string => {
    let hash = this.#hashes.get(text);
    if (hash === undefined) this.#hashes.set(text, (hash = `h${this.#hashes.size}`));
    return hash;
  };

  #chance(p: number): boolean {
    return this.#random() < p;
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  step(): void {
    const node = this.#nodes[this.#int(this.#nodes.length)]!;
    const x = this.#random();
    if (x < 0.3) this.#deliver();
    else if (x < 0.6) this.#read(node, 1 + this.#int(6));
    else if (x < 0.7) this.#resend(node);
    else if (x < 0.72) this.#assigned = this.#int(2);
    else if (x < 0.74) this.#crash(node);
    else if (x < 0.77) node.saved = node.replica.copy();
    else if (x < 0.78) this.#truncate();
    else this.#decide(node);
  }

  // The network and the log

  #deliver(): void {
    if (this.#network.length === 0) return;
    const i = this.#int(this.#network.length);
    const message = this.#network[i]!;
    // Sometimes a copy stays under way, and comes late.
    if (this.#chance(0.85)) this.#network.splice(i, 1);
    if (this.#chance(0.1)) return;
    this.#write(this.#weather.damaged === true && this.#chance(0.2) ? this.#damage(message) : message);
  }

  #write(message: readonly StoredEvent[]): void {
    for (const event of message) {
      const bytes = this.#damaged.has(event) ? `damaged ${event.hash}` : event.hash;
      this.#partition.push({ event, bytes, term: this.#term });
    }
  }

  #damage(message: readonly StoredEvent[]): StoredEvent[] {
    const at = this.#int(message.length);
    return message.map((event, i) => {
      if (i !== at) return event;
      const damaged = this.#chance(0.5) ? { ...event, data: '"flipped"' } : { ...event, actor: 'somebody else' };
      this.#damaged.add(damaged);
      return damaged;
    });
  }

  #truncate(): void {
    if (this.#weather.truncated !== true || this.#partition.length < 4) return;
    // Some records at the end are gone; or the log was created anew.
    const left = this.#chance(0.2) ? 0 : this.#partition.length - 1 - this.#int(3);
    for (const { event } of this.#partition.splice(left)) this.#cutOff.add(event.hash);
    this.#term += 1;
  }

  // A node

  #context(replica: Replica): RuleContext {
    return {
      hash: this.#hash,
      counted: { head: () => replica.head, appendSize: (_, id) => replica.sizes.get(id) ?? 0 },
      inPartition: (stream) => stream === STREAM,
      parts: this.#parts,
    };
  }

  #read(node: SimulatedNode, limit = Number.POSITIVE_INFINITY): void {
    if (!this.#isAnchored(node.replica)) {
      // Begin again: nothing that was derived from the old log holds.
      const noticed = node.replica.noticed + 1;
      node.replica = Object.assign(new Replica(node.replica.code), { noticed });
      this.#forget(node);
    }
    this.#fold(node.replica, limit);
    this.#settle(node);
  }

  #isAnchored({ anchor }: Replica): boolean {
    if (!this.#parts.anchor) return true;
    const last = this.#partition[anchor.offset - 1] ?? null;
    const seen = last === null || this.#parts.term ? last : { ...last, term: anchor.term };
    return isAnchored(anchor, seen, this.#hash);
  }

  #fold(replica: Replica, limit: number): void {
    const context = this.#context(replica);
    // Without an anchor, a reader that stands behind the end waits there: what a driver does.
    const to = Math.min(this.#partition.length, replica.anchor.offset + limit);
    for (let offset = replica.anchor.offset; offset < to; offset += 1) {
      const record = this.#partition[offset]!;
      replica.anchor = advanceAnchor(replica.anchor, record, this.#hash);
      if (!this.#parts.versionBlind && record.event.v > replica.code) continue;
      const { pending, judged } = foldRecord(replica.pending, record.event, context);
      replica.pending = pending;
      for (const { records, verdict } of judged as readonly { records: readonly StoredEvent[]; verdict: (typeof judged)[0]['verdict'] }[]) {
        if (!verdict.counted) continue;
        replica.head = verdict.head;
        replica.counted.push(...records);
        replica.sizes.set(records[0]!.append.id, records.length);
      }
    }
  }

  /** The node learns from what it has read how its appends ended. */
  #settle(node: SimulatedNode): void {
    const { replica } = node;
    for (const attempt of [...node.attempts]) {
      const { request, proposal, events } = attempt;
      const mine = replica.lastHashOf(proposal.id) === events.at(-1)!.hash;
      const result = fate(replica.head, proposal, { appendSize: (id) => replica.sizes.get(id) ?? 0, parts: this.#parts });
      const orphan = attempt.follows?.refused === true;
      const refused = !mine && (orphan || (typeof result === 'string' && (isFinal(result) || this.#givesUpEarly(replica, events))));
      if (!mine && !refused) continue;
      node.attempts = node.attempts.filter((other) => other !== attempt);
      attempt.refused = refused;
      if (mine) this.#acknowledge(node, attempt);
      else {
        this.#refused.push(attempt);
        // Another try of the same request counted, perhaps by another node: the request is done. A claim is only mine or lost.
        request.state = result === 'id_used' || request.class === 'claim' ? 'done' : 'open';
      }
    }
  }

  /** A careless writer takes the first refusal that it reads for the last word. */
  #givesUpEarly(replica: Replica, events: readonly StoredEvent[]): boolean {
    return !this.#parts.awaitFate && this.#partition.slice(0, replica.anchor.offset).some(({ event }) => event.hash === events[0]!.hash);
  }

  #acknowledge(node: SimulatedNode, attempt: Attempt): void {
    this.#acknowledged.push(attempt);
    attempt.request.state = 'done';
    if (attempt.request.class !== 'claim') return;
    node.epoch = attempt.events[0]!.epoch;
    const owners = this.#owners.get(node.epoch) ?? new Set();
    this.#owners.set(node.epoch, owners.add(`${attempt.events[0]!.hash} ${node.name}`));
  }

  #resend(node: SimulatedNode): void {
    const [oldest] = node.attempts;
    if (oldest === undefined || !this.#parts.resend) return;
    this.#send(oldest.events);
  }

  #send(events: readonly StoredEvent[]): void {
    if (this.#weather.torn !== true || events.length === 1 || this.#chance(0.5)) {
      this.#network.push(events);
      return;
    }
    const cut = 1 + this.#int(events.length - 1);
    this.#network.push(events.slice(0, cut), events.slice(cut));
  }

  #crash(node: SimulatedNode): void {
    if (this.#weather.crashes !== true || this.#chance(0.4)) return;
    this.#forget(node);
    node.replica = node.saved !== null && this.#chance(0.7) ? node.saved.copy() : new Replica(node.replica.code);
  }

  #forget(node: SimulatedNode): void {
    for (const { request } of node.attempts) request.state = 'open';
    node.attempts = [];
    node.epoch = 0;
  }

  #decide(node: SimulatedNode): void {
    if (node.attempts.length > 0 && this.#weather.pipelined !== true) return;
    const owning = this.#weather.owners === true && Number(node.name.slice(1)) < 2;
    if (!owning) {
      this.#attempt(node, this.#request('open'));
      return;
    }
    const assigned = `w${this.#assigned}` === node.name;
    // A zombie has not noticed that the stream was given to another.
    if (!assigned && !this.#chance(0.3)) return;
    const lost = node.epoch < node.replica.head.epoch;
    if (node.epoch === 0 || (assigned && lost && this.#chance(0.5))) {
      const request: Request = { id: `claim.${node.replica.head.epoch + 1}`, class: 'claim', state: 'open' };
      this.#attempt(node, request);
    } else {
      this.#attempt(node, this.#request('owner'));
    }
  }

  /** Something left to do, or something new. */
  #request(cls: WriteClass): Request {
    const open = this.#requests.find((request) => request.class === cls && request.state === 'open');
    if (open !== undefined && this.#chance(0.7)) return open;
    const request: Request = { id: `r${this.#requests.length}`, class: cls, state: 'open' };
    this.#requests.push(request);
    return request;
  }

  #attempt(node: SimulatedNode, request: Request): void {
    const follows = node.attempts.at(-1);
    const base = follows?.events.at(-1) ?? node.replica.head;
    const n = request.class === 'claim' ? 1 : 1 + this.#int(3);
    const epoch = request.class === 'claim' ? node.replica.head.epoch + 1 : request.class === 'owner' ? node.epoch : 0;
    let prev = base.hash;
    const events = Array.from({ length: n }, (_, i): StoredEvent => {
      const event: StoredEvent = {
        ...{ stream: STREAM, seq: base.seq + 1 + i, id: eventId(request.id, i), time: 0, prev, hash: '', type: 'simulated' },
        ...{ v: this.#weather.oldCode === true && this.#chance(0.15) ? 2 : 1, class: request.class, epoch },
        ...{ append: { id: request.id, i, n }, writer: this.#parts.writerName ? node.name : 'w', causation: null, correlation: null },
        ...{ actor: 'system', dataHash: this.#hash('{}'), data: '{}' },
      };
      event.hash = prev = this.#hash(hashInput(event));
      return event;
    });
    const proposal = { id: request.id, seq: base.seq + 1, prev: base.hash, events };
    request.state = 'in flight';
    node.attempts.push({ request, events, proposal, follows, refused: false });
    this.#send(events);
  }

  // The end

  /** The network calms down: what is under way arrives, everybody reads to the end and sends until all is known. */
  settleDown(): void {
    for (let round = 0; round < 100; round += 1) {
      while (this.#network.length > 0) this.#write(this.#network.splice(this.#int(this.#network.length), 1)[0]!);
      for (const node of this.#nodes) this.#read(node);
      if (this.#nodes.every((node) => node.attempts.length === 0)) break;
      if (this.#parts.resend) for (const node of this.#nodes) for (const { events } of node.attempts) this.#network.push(events);
    }
  }

  judge(): Outcome {
    const fresh = new Replica(NEWEST_CODE);
    this.#fold(fresh, Number.POSITIVE_INFINITY);
    const hashes = fresh.counted.map((event) => event.hash);
    const counted = new Set(hashes);
    const ids = fresh.counted.map((event) => event.id);
    this.#failIf('event counted twice', counted.size !== hashes.length);
    this.#failIf('request counted twice', new Set(ids).size !== ids.length);
    this.#failIf(
      'damaged record counted',
      fresh.counted.some((event) => this.#damaged.has(event)),
    );
    this.#failIf(
      'fork',
      fresh.counted.some((event, i) => event.prev !== (hashes[i - 1] ?? EMPTY_HEAD.hash)),
    );
    this.#failIf(
      'append counted in part',
      fresh.counted.some((event, i) => !standsWhole(fresh.counted, event, i)),
    );
    this.#failIf('zombie wrote', zombieWrote(fresh.counted));
    const expected = hashes.join();
    const truncated = this.#cutOff.size > 0;
    const differ = this.#nodes.some(({ replica }) => replica.counted.map((event) => event.hash).join() !== expected);
    this.#failIf(truncated ? 'truncation unnoticed' : 'readers disagree', differ);
    const isLost = ({ events }: Attempt): boolean =>
      !events.every(({ hash }) => counted.has(hash)) && !events.some(({ hash }) => this.#cutOff.has(hash));
    this.#failIf('acknowledged event lost', this.#acknowledged.some(isLost));
    this.#failIf('refused append counted', !truncated && this.#refused.some(({ events }) => counted.has(events.at(-1)!.hash)));
    this.#failIf('two owners of one epoch', !truncated && [...this.#owners.values()].some((owners) => owners.size > 1));
    this.#failIf(
      'waits for ever',
      this.#nodes.some((node) => node.attempts.length > 0),
    );
    return { failures: this.#failures, counted: hashes.length };
  }

  #failIf(failure: Failure, failed: boolean): void {
    if (failed) this.#failures.add(failure);
  }
}

function standsWhole(counted: readonly StoredEvent[], { append }: StoredEvent, at: number): boolean {
  const first = at - append.i;
  return Array.from({ length: append.n }, (_, i) => counted[first + i]).every(
    (event, i) => event?.append.id === append.id && event.append.i === i,
  );
}

/** An owner's event that counts although a later claim stands before it. */
function zombieWrote(counted: readonly StoredEvent[]): boolean {
  let epoch = 0;
  for (const event of counted) {
    if (event.class === 'claim') epoch = Math.max(epoch, event.epoch);
    else if (event.class === 'owner' && event.epoch < epoch) return true;
  }
  return false;
}
