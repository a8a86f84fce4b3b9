// Why a drill could not go on, in one line that names the cure.

import { GatewayError } from '../../base/gateway-error.ts';
import type { Drill } from './drill-options.ts';

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it running, and is this the machine from which to reach it?',
  ENOTFOUND: 'this machine does not know that name',
  EAI_AGAIN: 'this machine does not know that name',
  ETIMEDOUT: 'it does not answer; is a firewall between?',
};

export function faultLine(error: unknown, { origin, issuer }: Pick<Drill, 'origin' | 'issuer'>): string {
  if (error instanceof GatewayError) return error.message;
  if (!(error instanceof Error)) return String(error);
  // Where a name has several addresses, each attempt has an error of its own.
  const { code = '' } = (error instanceof AggregateError ? error.errors[0] : error) as NodeJS.ErrnoException;
  const where = `the gate (${origin}) or the provider (${issuer})`;
  if (UNTRUSTED.has(code)) {
    return `the certificate of ${where} is not trusted here (${code}); name its authority with --ca-file, or provider.ca_file`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate of ${where} is for another name: ${error.message}`;
  const cure = UNREACHABLE[code];
  return cure === undefined ? error.message || code : `${where} cannot be reached (${error.message || code}): ${cure}`;
}
