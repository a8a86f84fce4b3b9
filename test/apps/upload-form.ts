// A form with a file, sent as browsers send it (HTML, "multipart/form-data"; RFC 7578).

import { formsOf } from '../../src/cli/browser/html-form.ts';
import type { BrowserClient, Page } from '../support/browser-client.ts';

export interface ChosenFile {
  /** The name of the form's field. */
  readonly field: string;
  readonly name: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

/** Sends the form of `page` whose HTML contains `which`, with this file and these values in it. */
export async function submitFile(
  browser: BrowserClient,
  page: Page,
  { which, file, values = {} }: { which: string; file: ChosenFile; values?: Record<string, string> },
): Promise<Page> {
  const form = formsOf(page.text, page.url).find(({ html }) => html.includes(which));
  if (form === undefined) throw new Error(`no form ${which} at ${page.url}: ${page.text.slice(0, 400)}`);
  const data = new FormData();
  for (const [name, value] of Object.entries({ ...form.fields, ...values })) {
    if (name !== file.field) data.append(name, value);
  }
  data.append(file.field, new Blob([file.bytes]), file.name);
  const message = new Response(data);
  return browser.navigate(form.action, {
    method: 'POST',
    site: 'same-origin',
    body: Buffer.from(await message.arrayBuffer()),
    headers: { 'Content-Type': message.headers.get('content-type')!, Origin: new URL(page.url).origin },
  });
}
