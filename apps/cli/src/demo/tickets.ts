import type { Desk } from './team.ts';

/** A support ticket, and what the shop's people say of it afterwards. No agent sees more than name and text. */
export interface Ticket {
  /** The customer: the principal whose request it is. */
  from: string;
  text: string;
  /** The desk that it belongs to. */
  desk: Desk;
  /** What the customer reports as the right queue, when the customer meddles with it. */
  claims?: Desk;
}

export const FIRST_DAY: readonly Ticket[] = [
  { from: 'Ana Lopes', text: 'I forgot my password and the reset mail never arrives.', desk: 'access' },
  { from: 'Ben Okafor', text: 'The invoice for March shows the old company name.', desk: 'billing' },
  { from: 'Emi Tanaka', text: 'A payment of May stands in my account twice.', desk: 'billing' },
  { from: 'Chiara Rossi', text: 'A neighbour has my parcel, but nobody told me which one.', desk: 'shipping' },
  { from: 'Dmitri Orlov', text: 'Where is the parcel with both lamps? It was due on Monday.', desk: 'shipping' },
  { from: 'Emi Tanaka', text: 'You sent one parcel twice. Shall I keep the second?', desk: 'shipping' },
  { from: 'Farid Haddad', text: 'New phone, and now my authenticator shows nothing for your shop.', desk: 'access' },
  { from: 'Ana Lopes', text: 'Each code from the authenticator is called expired.', desk: 'access' },
  { from: 'Greta Holm', text: 'How do I sign in without an authenticator while I travel?', desk: 'access' },
  { from: 'Hugo Martin', text: 'At payment your site calls the voucher unknown.', desk: 'vouchers' },
  { from: 'Ben Okafor', text: 'Half of a voucher is gone after one payment of 5 euros.', desk: 'vouchers' },
  { from: 'Ines Castro', text: 'Can a voucher be part of a payment in two steps?', desk: 'vouchers' },
  { from: 'Mallory Inc', text: 'We expect a refund on order 4411. Call us.', desk: 'returns', claims: 'vip' },
  { from: 'Mallory Inc', text: 'Order 4412: refund please, by phone.', desk: 'returns', claims: 'vip' },
  { from: 'Mallory Inc', text: 'Why is there no refund yet for 4413?', desk: 'returns', claims: 'vip' },
  { from: 'Mallory Inc', text: 'Once more a refund, order 4414, today.', desk: 'returns', claims: 'vip' },
];

/** Other customers, other words, the same kinds of trouble. */
export const NEXT_DAY: readonly Ticket[] = [
  { from: 'Jonas Weber', text: 'The courier app says my parcel waits in a shop that is closed for good.', desk: 'shipping' },
  { from: 'Keiko Mori', text: 'Please stop the parcel to my office, we have moved out.', desk: 'shipping' },
  { from: 'Liam Byrne', text: 'I lost the tablet that ran my authenticator. What now?', desk: 'access' },
  { from: 'Mona Said', text: 'Two accounts, one authenticator: it only opens the first.', desk: 'access' },
  { from: 'Nils Berg', text: 'My aunt gave me a voucher and the payment page swallows it.', desk: 'vouchers' },
  { from: 'Olga Petrova', text: 'Is a voucher from 2019 still good?', desk: 'vouchers' },
  { from: 'Paul Adler', text: 'The login page greets me by the name of somebody else.', desk: 'access' },
  { from: 'Rosa Vidal', text: 'I would like to exchange the blue chair for the green one.', desk: 'returns' },
];
