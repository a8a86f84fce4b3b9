// The part of the npm package http-proxy 1.18 that the peer uses; the package has no types of its own.

declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http';
  import type { Duplex } from 'node:stream';

  interface ProxyOptions {
    target: string;
    agent?: Agent;
    xfwd?: boolean;
    headers?: Record<string, string>;
  }

  interface ProxyServer {
    web(request: IncomingMessage, response: ServerResponse, options: Partial<ProxyOptions>): void;
    ws(request: IncomingMessage, socket: Duplex, head: Buffer, options: Partial<ProxyOptions>): void;
    on(
      event: 'error',
      listener: (error: Error, request: IncomingMessage, target: ServerResponse | Duplex) => void,
    ): this;
  }

  const httpProxy: { createProxyServer(options: ProxyOptions): ProxyServer };
  // biome-ignore lint/style/noDefaultExport: the package has one
  export default httpProxy;
}
