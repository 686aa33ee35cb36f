/** What a map holds for a key; where it holds nothing, what is made then and kept. */
export function getOr<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
