// The answers that need no page of their own.

import type { ServerResponse } from 'node:http';
import { errorPage } from '../pages/error-page.ts';
import { sendAnswer } from './answer.ts';
import type { PublicRequest } from './public-request.ts';

export interface PlainAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** A page that says no more than the answer's message, or the same in JSON. */
export function answerPlainly(entry: PublicRequest, response: ServerResponse, answer: PlainAnswer): void {
  const { requestId } = entry;
  sendAnswer(entry.request, response, { ...answer, requestId, page: errorPage({ ...answer, requestId }) });
}
