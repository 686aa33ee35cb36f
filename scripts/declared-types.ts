interface Source {
  /** From the repository's root. */
  path: string;
  text: string;
}

const SETS_A_SCENE = /\.test\.ts$|\/testing\//;

/** Types that a package declares twice, each with its remedy: whoever searches for the name has to know which is meant. */
export function repeatedTypes(files: readonly Source[]): string[] {
  const places = new Map<string, string[]>();
  for (const { path, text } of files) {
    const room = /^packages\/[^/]+/.exec(path)?.[0];
    if (room === undefined || SETS_A_SCENE.test(path)) continue;
    for (const [, name] of text.matchAll(/^(?:export )?(?:interface|type|class) (\w+)/gm)) {
      const key = `${name} of ${room}`;
      places.set(key, [...(places.get(key) ?? []), path]);
    }
  }
  return [...places].flatMap(([key, paths]) => (paths.length === 1 ? [] : [`${key} stands in ${paths.join(' and ')}. Rename one.`]));
}

/** What writes events that nobody else would: of other codes, and of other classes. */
const WRITES_ANY_EVENT = /\.test\.ts$|\/(?:testing|conformance|simulation)\/|^packages\/events\/|^scripts\/|^docs\//;

/** Events that are written by hand, so that the compiler does not compare their payload with their type; each with its remedy. */
export function looseEvents(files: readonly Source[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (WRITES_ANY_EVENT.test(path)) return [];
    return text.split('\n').flatMap((line, index) => {
      const at = `${path}:${index + 1}`;
      if (/\bclass: '(?:open|owner|claim)'/.test(line))
        return [`${at}: use newEvent(type, actor, data), which ties the payload to its type.`];
      return /\btype: string, actor: string\b/.test(line) ? [`${at}: take <T extends EventType>(type: T, …, data: EventData[T]).`] : [];
    });
  });
}
