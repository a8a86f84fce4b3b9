// Real sign-ins, many at once, in a process of its own: gate, provider, callback, as a browser goes.

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { answerParent } from './children.ts';

export interface SignInsOptions {
  readonly publicUrl: string;
  readonly count: number;
  readonly atOnce: number;
}

const agent = new Agent({ keepAlive: true });
const NAVIGATION = {
  Accept: 'text/html',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
};

answerParent({
  /** The Cookie header of the last session, once all have signed in. */
  async signIn({ publicUrl, count, atOnce }: SignInsOptions) {
    let left = count;
    let last = '';
    const one = async (): Promise<void> => {
      while (left-- > 0) last = await signIn(publicUrl);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
    return last;
  },
});

async function signIn(publicUrl: string): Promise<string> {
  const toProvider = await get(`${publicUrl}/_gate/login?return_to=/`, '');
  const toGate = await get(toProvider.location, '');
  const signedIn = await get(toGate.location, toProvider.cookies);
  const session = signedIn.cookies.split('; ').find((pair) => pair.startsWith('portcullis='));
  if (session === undefined) throw new Error(`no session: ${signedIn.status} at ${toGate.location}`);
  return session;
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
