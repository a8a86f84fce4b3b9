// The gate that one would write in an afternoon, to compare with: Koa, koa-session with its sessions in memory, and
// http-proxy with a keep-alive agent. It checks the session and forwards with an X-Forwarded-User header, WebSockets
// too. Everything is used as its own documentation shows it, with production settings; nothing is left slow on purpose.
//
//   node bench/peers/koa-gate.ts PORT UPSTREAM       GET /login?user=NAME signs in, everything else is forwarded

import { Agent, type IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import Koa from 'koa';
import { type CreateSessionOptions, createSession } from 'koa-session';

const [port = '0', target = 'http://127.0.0.1:80'] = process.argv.slice(2);

/** What a sign-in leaves in such a gate's session: who it is, and the tokens, as long as Keycloak's are. */
interface SignedIn {
  user?: string;
  claims?: object;
  tokens?: { idToken: string; accessToken: string; refreshToken: string };
}

const TOKENS = { idToken: 'i'.repeat(1100), accessToken: 'a'.repeat(1400), refreshToken: 'r'.repeat(800) };

const sessions = new Map<string, unknown>();
const app = new Koa();
// The load generator breaks its connections off at the end of a round; nobody needs to read that 64 times.
app.silent = true;
app.keys = ['the key that signs the cookies of the peer'];

const session = createSession(
  {
    store: {
      get: async (id: string) => sessions.get(id),
      set: async (id: string, value: unknown) => void sessions.set(id, value),
      destroy: async (id: string) => void sessions.delete(id),
    },
  } as CreateSessionOptions,
  app,
);

const agent = new Agent({ keepAlive: true });
const proxy = httpProxy.createProxyServer({ target, agent, xfwd: true });
proxy.on('error', (_error, _request, response) => {
  if (response instanceof ServerResponse && !response.headersSent) response.writeHead(502).end();
  else response.destroy();
});

app.use(session);
app.use((ctx) => {
  const signedIn = ctx['session'] as SignedIn;
  if (ctx.path === '/login') {
    const user = String(ctx.query['user']);
    const claims = { sub: `sub-${user}`, name: user, email: `${user}@example.com`, groups: ['staff'] };
    Object.assign(signedIn, { user, claims, tokens: TOKENS });
    ctx.body = 'signed in';
    return;
  }
  if (signedIn.user === undefined) {
    ctx.status = 401;
    return;
  }
  ctx.respond = false;
  proxy.web(ctx.req, ctx.res, { headers: { 'X-Forwarded-User': signedIn.user } });
});

const server = app.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});

server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  socket.on('error', () => socket.destroy());
  const ctx = app.createContext(request, new ServerResponse(request));
  session(ctx as never, async () => {
    const { user } = ctx['session'] as SignedIn;
    if (user === undefined) socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    else proxy.ws(request, socket, head, { headers: { 'X-Forwarded-User': user } });
  }).catch(() => socket.destroy());
});
