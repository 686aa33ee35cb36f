import { userInfo } from 'node:os';

/** Who runs this process, by the name of the operating system's user: whoever acts here, unless a name is given. */
export function operator(): string {
  const user = process.env['USER'];
  if (user !== undefined && user !== '') return user;
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
