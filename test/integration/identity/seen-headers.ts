// Headers as the application saw them, out of its answer to `/echo`.

import type { Answer } from '../../support/browser-client.ts';

/** Every value of the header, in the order in which they came; `name` in lower case. */
export function seenHeaders(answer: Answer, name: string): string[] {
  const { rawHeaders } = JSON.parse(answer.text) as { rawHeaders: string[] };
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
}
