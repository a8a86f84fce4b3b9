// The authorization response as the browser brings it: foreign input, judged before anything is asked with it
// (RFC 6749 section 4.1.2, RFC 9207, RFC 9700 section 4.4).

import { GatewayError } from '../base/gateway-error.ts';

const SINGLE = ['state', 'code', 'iss', 'error', 'error_description'];
const OTHER_FLOWS = ['id_token', 'access_token', 'token', 'response'];

export interface ExpectedCallback {
  readonly state: string;
  readonly issuer: string;
  /** The provider says that it sends `iss`; then one without is not from it. */
  readonly issuerRequired: boolean;
}

/**
 * Refuses a response that is ambiguous or not the answer to this attempt, error responses included.
 * @throws GatewayError `callback_invalid` (400)
 */
export function checkCallback(parameters: URLSearchParams, expected: ExpectedCallback): void {
  const repeated = SINGLE.find((name) => parameters.getAll(name).length > 1);
  if (repeated) throw callbackInvalid(`it has ${repeated} more than once`);
  const foreign = OTHER_FLOWS.find((name) => parameters.has(name));
  if (foreign) throw callbackInvalid(`it has ${foreign}, which belongs to a flow that we did not ask for`);
  if (parameters.get('state') !== expected.state) throw callbackInvalid('its state is not the one of this sign-in');
  const issuer = parameters.get('iss');
  if (issuer === null && expected.issuerRequired) {
    throw callbackInvalid(
      'it has no iss, and the provider says that it sends one (Keycloak: "exclude issuer" must be off)',
    );
  }
  if (issuer !== null && issuer !== expected.issuer) throw callbackInvalid('its iss is another provider');
  if (parameters.has('code') === parameters.has('error')) throw callbackInvalid('it needs either code or error');
  if (parameters.get('code') === '') throw callbackInvalid('its code is empty');
}

function callbackInvalid(why: string): GatewayError {
  return new GatewayError('callback_invalid', {
    status: 400,
    message: `the sign-in response is refused: ${why}`,
    publicMessage: 'This sign-in cannot be finished. Please start again.',
  });
}
