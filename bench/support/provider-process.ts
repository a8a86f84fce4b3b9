// The process behind `provider.ts`: the embedded provider, and a catcher for the notices that it sends.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type EmbeddedClient, EmbeddedProvider } from '../../test/support/embedded-provider.ts';
import { answerParent } from './children.ts';

const TEN_HOURS = 36_000;
/** One for each session that is to be ended: who was signed out a moment ago is looked at more closely by the gate. */
const USERS = Object.fromEntries(
  Array.from({ length: 1000 }, (_, i) => [
    `user-${i}`,
    { name: `User ${i}`, email: `user-${i}@example.com`, groups: ['staff'] },
  ]),
);

let provider: EmbeddedProvider;
let caught: string | undefined;

const catcher = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  caught = new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? undefined;
  response.end();
});

answerParent({
  async start(client: EmbeddedClient) {
    await new Promise<void>((resolve) => catcher.listen(0, '127.0.0.1', resolve));
    const { port } = catcher.address() as AddressInfo;
    provider = await EmbeddedProvider.start({
      clients: [{ ...client, backchannelLogoutUri: `http://127.0.0.1:${port}/` }],
      users: USERS,
      lifetimes: { accessTokenSeconds: TEN_HOURS, refreshTokenSeconds: TEN_HOURS, sessionSeconds: TEN_HOURS },
    });
    return provider.issuer;
  },
  async logoutToken(user: string) {
    caught = undefined;
    await provider.endSessions(user);
    if (caught === undefined) throw new Error(`the provider has no session of ${user}`);
    return caught;
  },
});
