// The certificates of an application, as its route describes them.

import type { RouteConfig } from '../config/model.ts';
import type { UpstreamTls } from '../proxy/upstream.ts';

/** For an upstream of this route. */
export function upstreamTls({ upstreamTls: tls }: RouteConfig): { tls?: UpstreamTls } {
  if (tls === undefined) return {};
  const { caPem, certPem, keyPem, serverName } = tls;
  return {
    tls: {
      ...(caPem === undefined ? {} : { ca: caPem }),
      ...(certPem === undefined ? {} : { cert: certPem }),
      ...(keyPem === undefined ? {} : { key: keyPem.reveal() }),
      ...(serverName === undefined ? {} : { serverName }),
    },
  };
}
