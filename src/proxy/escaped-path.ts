// A path of the configuration, as headers and addresses spell it.

/** `/é` as `/%C3%A9`; what is escaped stays so. '' stays ''. */
export function escapedPath(path: string): string {
  return path === '' ? '' : new URL(path, 'http://any').pathname;
}
