// Pages and errors of the gate's own endpoints, within Koa.

import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import { errorJson } from '../pages/error-body.ts';
import { errorPage } from '../pages/error-page.ts';
import { FRAMED_PAGE_POLICY, formPagePolicy, PAGE_POLICY } from '../pages/page-policy.ts';
import { signInFailedPage } from '../pages/sign-in-failed-page.ts';
import { RETRY_AFTER_SECONDS } from './answer.ts';
import type { GateContext } from './gate-context.ts';
import { isCallback, signInPath } from './own-path.ts';

/** `form`: its policy must let the form's answer lead to other origins. `framed`: it may be shown in our own frames. */
export type PageKind = 'page' | 'form' | 'framed';

export function answerPage(ctx: GateContext, status: number, page: string, kind: PageKind = 'page'): void {
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Content-Security-Policy', policyOf(kind, ctx.state.entry.publicOrigin));
  ctx.body = page;
}

function policyOf(kind: PageKind, publicOrigin: string): string {
  if (kind === 'form') return formPagePolicy(publicOrigin);
  return kind === 'framed' ? FRAMED_PAGE_POLICY : PAGE_POLICY;
}

/** What went wrong, once for the operator and once for the user. Only the request id is the same in both. */
export function answerError(ctx: GateContext, error: unknown, emit: Emit): void {
  const { entry } = ctx.state;
  const { requestId } = entry;
  const known = error instanceof GatewayError ? error : undefined;
  const status = known?.status ?? 500;
  const code = known?.code ?? 'internal_error';
  const message = known?.publicMessage ?? 'Something went wrong here.';
  const isSignIn = isCallback(entry.target, entry.snapshot.prefix);
  const why = known?.message ?? (error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  if (isSignIn) {
    emit({ event: 'login.failed', code, why, address: entry.clientAddress, request_id: requestId });
  } else if (status >= 500) {
    emit({ event: 'request.failed', code, why, request_id: requestId });
  }
  if (status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
  if (!entry.wantsHtml()) {
    ctx.status = status;
    ctx.type = 'application/json; charset=utf-8';
    ctx.body = errorJson({ code, message, requestId });
    return;
  }
  const signInUrl = signInPath(entry.snapshot.prefix, ctx.state.returnTo ?? '/');
  const page =
    isSignIn && status < 500
      ? signInFailedPage({ status, message, signInUrl, requestId })
      : errorPage({ status, code, requestId });
  answerPage(ctx, status, page);
}
