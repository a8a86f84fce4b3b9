// The address of a Redis server: redis://user:password@host:6379/0, rediss:// with TLS, unix:/path. It may hold a password,
// so nothing of it is ever said.

/** An address without mistakes. */
export interface RedisUrl {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

const CURE = 'write redis://user:password@host:6379/0, rediss:// with TLS, or unix:/path';

/** What `text` means, or what is wrong with it, in words that repeat nothing of it. */
export function parseRedisUrl(text: string): RedisUrl | { readonly wrong: string; readonly cure: string } {
  const unix = /^unix:(\/[^?#]+)$/.exec(text);
  if (unix) {
    return { address: { path: unix[1]! }, tls: false, username: undefined, password: undefined, database: 0 };
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { wrong: 'this is no URL', cure: `${CURE}; percent-encode what a password has of / ? # @ : %` };
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return { wrong: 'this is no URL of Redis', cure: CURE };
  if (url.hostname === '') return { wrong: 'the URL names no host', cure: CURE };
  if (url.search !== '' || url.hash !== '') {
    return {
      wrong: 'the URL goes on behind the number of the database',
      cure: `${CURE}; every option has its own key`,
    };
  }
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (database === undefined) return { wrong: 'the path of the URL is no number of a database', cure: CURE };
  try {
    return {
      address: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) },
      tls: url.protocol === 'rediss:',
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      database: Number(database || 0),
    };
  } catch {
    return { wrong: 'user or password is not percent-encoded', cure: 'write % as %25' };
  }
}
