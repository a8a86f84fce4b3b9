// One sign-in as a browser goes: gate, provider (which answers at once), callback.

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';

const agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });
const NAVIGATION = {
  Accept: 'text/html',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
};

/** Closes the connections that are kept for the next sign-in. */
export function closeIdleConnections(): void {
  agent.destroy();
}

/** As far as the address to come back to, with the cookies to come back with. */
export async function beginSignIn(publicUrl: string): Promise<{ callback: string; cookies: string }> {
  const toProvider = await get(`${publicUrl}/_gate/login?return_to=/`, '');
  const toGate = await get(toProvider.location, '');
  return { callback: toGate.location, cookies: toProvider.cookies };
}

/** The Cookie header of the new session, and whom the provider took its browser for. */
export async function signIn(publicUrl: string): Promise<{ session: string; user: string }> {
  const { callback, cookies } = await beginSignIn(publicUrl);
  const signedIn = await get(callback, cookies);
  const session = signedIn.cookies.split('; ').find((pair) => pair.startsWith('portcullis='));
  if (session === undefined) throw new Error(`no session: ${signedIn.status} at ${callback}`);
  return { session, user: new URL(callback).searchParams.get('code')! };
}

function get(url: string, cookie: string): Promise<{ status: number; location: string; cookies: string }> {
  return new Promise((resolve, reject) => {
    const headers = { ...NAVIGATION, ...(cookie !== '' && { Cookie: cookie }) };
    const request = httpRequest(url, { agent, headers }, (response: IncomingMessage) => {
      response.resume();
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          location: response.headers.location ?? '',
          cookies: (response.headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0]!).join('; '),
        }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}
