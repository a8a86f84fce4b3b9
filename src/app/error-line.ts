// Why the gate does not start, in one line that names the cure.

import { GatewayError } from '../base/gateway-error.ts';

const CURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; stop what uses it, or choose another port',
  EACCES: 'this user may not listen there; choose a port above 1023, or give the process the right',
  EADDRNOTAVAIL: 'this machine has no such address; 0.0.0.0 listens on all of them',
};

/** One line for an operator; no stack. */
export function errorLine(error: unknown): string {
  if (error instanceof GatewayError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const cure = code === undefined ? undefined : CURES[code];
  if (syscall === 'listen' && cure !== undefined) {
    const { address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
    return `cannot listen on ${address}:${port}: ${cure} (server.listen, admin.listen)`;
  }
  return error.message;
}
