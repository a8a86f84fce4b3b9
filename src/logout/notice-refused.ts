// The refusal of a notice: `why` is for operators, the sender learns nothing of it.

import { GatewayError } from '../base/gateway-error.ts';

export function noticeRefused(why: string): GatewayError {
  return new GatewayError('notice_refused', { status: 400, message: why });
}
