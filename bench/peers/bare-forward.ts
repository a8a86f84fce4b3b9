// The least that a gate made of node:http and undici's `dispatch` can do: it forwards, and that is all. Nothing is checked,
// no header is removed, no failure is handled. Not something to compare with but a yardstick: what JavaScript costs on
// this machine, and so how much of a request's time is the gate's own work.
//
//   node bench/peers/bare-forward.ts PORT UPSTREAM

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';

const [port = '0', upstream = 'http://127.0.0.1:80'] = process.argv.slice(2);
const pool = new Pool(upstream);

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#response.writeHead(status, (controller.rawHeaders as Buffer[]).map(String));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#response.write(chunk);
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const { method, url, rawHeaders } = request;
  const headers = ['X-Forwarded-User', 'user-0'];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== 'connection') headers.push(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  pool.dispatch({ method: method as Dispatcher.HttpMethod, path: url!, headers, body: null }, new Answer(response));
});

server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});
