import type { Membership, OnAssigned } from '@dreamfold/log';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

/** A member that says nothing for so long is taken to be gone. */
const SESSION_MS = 10_000;
const CHECK_MS = 3_000;

interface Member {
  node: SimulatedNode;
  onAssigned: OnAssigned;
  assigned: readonly number[];
  /** When the last word to it arrives. */
  toldUntil: number;
  /** The group has given its partitions to others. */
  wasExpelled: boolean;
}

/**
 * Those who share out the partitions of the log. One that is gone has its share until it has been silent for long. Each member hears later what the group has decided, and not all at once: for a while
 * two may believe that a partition is theirs.
 */
export class Group {
  readonly #world: World;
  readonly #name: string;
  #members: Member[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
    this.#check();
  }

  async join(node: SimulatedNode, onAssigned: OnAssigned): Promise<Membership> {
    await node.time.sleep(this.#world.chance.between(10, 3_000));
    const member: Member = { node, onAssigned, assigned: [], toldUntil: 0, wasExpelled: true };
    this.#members.push(member);
    this.share();
    return {
      leave: async () => {
        this.#members = this.#members.filter((other) => other !== member);
        this.share();
      },
    };
  }

  #check(): void {
    const gone = this.#members.filter(({ node, wasExpelled }) => !wasExpelled && isSilent(node));
    for (const member of gone) member.wasExpelled = true;
    this.#members = this.#members.filter(({ node, wasExpelled }) => node.isAlive || !wasExpelled);
    if (gone.length > 0) this.share();
    // One that has come back asks for partitions anew.
    else if (this.#members.some(({ node, wasExpelled }) => wasExpelled && !isSilent(node))) this.share();
    this.#world.time.after(CHECK_MS, () => this.#check());
  }

  /** Gives each partition to one of the members that are there. */
  share(): void {
    const { chance, log } = this.#world;
    const members = this.#members.filter(({ node }) => !isSilent(node));
    if (members.length === 0) return;
    const first = chance.count(0, members.length - 1);
    const all = [...log.partitions.keys()];
    for (const [i, member] of members.entries())
      this.#assign(
        member,
        all.filter((partition) => (partition + first) % members.length === i),
      );
  }

  #assign(member: Member, partitions: readonly number[]): void {
    const { chance, time } = this.#world;
    const wasMember = !member.wasExpelled;
    if (wasMember && partitions.join() === member.assigned.join()) return;
    member.assigned = partitions;
    member.wasExpelled = false;
    member.toldUntil = Math.max(member.toldUntil, time.now() + chance.between(0, 2_000));
    time.after(member.toldUntil - time.now(), () =>
      member.node.perform(() => {
        member.node.say(`has of the ${this.#name}' partitions ${partitions.join(', ') || 'none'}`);
        member.onAssigned(partitions, wasMember);
      }),
    );
  }
}

function isSilent(node: SimulatedNode): boolean {
  return node.silentMs > SESSION_MS;
}
