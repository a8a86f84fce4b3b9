// Logout notices over real sockets, many of them, each answer timed.

import { Agent, request } from 'node:http';

export interface NoticeAnswer {
  readonly status: number;
  readonly tookMs: number;
}

/** Posts each body, a form unless it is a bare token; `atOnce` of them are under way at any time. Answers in the order of the bodies. */
export async function postNotices(url: string, bodies: readonly string[], atOnce: number): Promise<NoticeAnswer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const answers: NoticeAnswer[] = new Array(bodies.length);
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < bodies.length; at = next++) answers[at] = await post(url, bodies[at]!, agent);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, bodies.length) }, lane));
  agent.destroy();
  return answers;
}

function post(url: string, body: string, agent: Agent): Promise<NoticeAnswer> {
  const sentAtMs = performance.now();
  return new Promise((resolve, reject) => {
    const isForm = body.startsWith('logout_token=');
    const contentType = isForm ? 'application/x-www-form-urlencoded' : 'text/plain; charset=ISO-8859-1';
    const headers = { 'Content-Type': contentType, 'Content-Length': body.length };
    request(url, { method: 'POST', headers, agent }, (response) => {
      response.on('end', () => resolve({ status: response.statusCode!, tookMs: performance.now() - sentAtMs }));
      response.on('error', reject).resume();
    })
      .on('error', reject)
      .end(body);
  });
}

/** As Keycloak's body is. */
export function noticeBody(logoutToken: string): string {
  return `logout_token=${logoutToken}`;
}
