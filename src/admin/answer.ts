// Errors of the private door.

import type { Context } from 'koa';
import { newRequestId } from '../base/ids.ts';

/** The error shape of every API answer (design: surface.md). */
export function answer(ctx: Context, status: number, error: string, message: string): void {
  ctx.status = status;
  ctx.body = { error, message, request_id: newRequestId() };
}
