// The frame of every page: one card below a gate, without scripts, images or anything else to load.

import { Html, html, linkAddress } from './html.ts';
import { PAGE_STYLE } from './page-style.ts';

export interface PageOptions {
  readonly title: string;
  /** The gate in the page's mark: lowered where somebody is kept out. */
  readonly gate: 'raised' | 'lowered';
  /** Paragraphs, and whatever else says what happened. */
  readonly body: Html;
  /** Links and forms below, the main one first. */
  readonly actions?: readonly Html[];
  readonly status?: number;
  /** For the user to pass on, so that operators find the request. */
  readonly requestId?: string | undefined;
  /** Whom the browser tells of this page: our own origin, where it holds a form that is believed by its origin. */
  readonly referrer?: 'same-origin';
}

/** A complete HTML document. */
export function pageLayout(options: PageOptions): string {
  const { title, gate, body, actions = [], status, requestId, referrer = 'no-referrer' } = options;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="${referrer}">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${gateMark(gate)}
<div class="card">
<h1>${title}</h1>
${body}
${actions.length === 0 ? undefined : html`<div class="actions">${actions}</div>`}
</div>
${reference(status, requestId)}
</main>
</body>
</html>
`.toString();
}

// Written by us, and no value is ever put into it: in a stylesheet escaping would change the text.
const STYLE = new Html(PAGE_STYLE);

/** A link that looks like a button: what most people want next. */
export function mainAction(address: string, label: string): Html {
  return html`<a class="button" href="${linkAddress(address)}">${label}</a>`;
}

/** A button that posts an empty form to `address`. */
export function mainButton(address: string, label: string): Html {
  return html`<form method="post" action="${linkAddress(address)}"><button class="button" type="submit">${label}</button></form>`;
}

/** A button beside it, for what fewer people want. */
export function otherButton(address: string, label: string): Html {
  return html`<form method="post" action="${linkAddress(address)}"><button class="button quiet" type="submit">${label}</button></form>`;
}

/** A link to a page beside this one, which stays open. */
export function mainActionBeside(address: string, label: string): Html {
  return html`<a class="button" href="${linkAddress(address)}" target="_blank">${label}</a>`;
}

/** The same, out of any frame: the provider's pages refuse to be shown in one. */
export function mainActionOnTop(address: string, label: string): Html {
  return html`<a class="button" href="${linkAddress(address)}" target="_top">${label}</a>`;
}

/** A plain link beside it. */
export function otherAction(address: string, label: string): Html {
  return html`<a href="${linkAddress(address)}">${label}</a>`;
}

function reference(status: number | undefined, requestId: string | undefined): Html | undefined {
  if (status === undefined && requestId === undefined) return undefined;
  return html`<div class="reference">${requestId === undefined ? undefined : html`<span>Reference <code>${requestId}</code></span>`}${
    status === undefined ? undefined : html`<span>Status ${status}</span>`
  }</div>`;
}

/** An arch with a portcullis in it: bars, two crossbars, and points below. */
function gateMark(gate: 'raised' | 'lowered'): Html {
  const bars = [14, 22, 30, 38];
  const foot = gate === 'raised' ? 27 : 49;
  const crossbars = gate === 'raised' ? [13, 21] : [21, 30, 39];
  return html`<svg class="mark" viewBox="0 0 52 58" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true" focusable="false">
<path d="M3 58V26a23 23 0 0 1 46 0v32" stroke-width="3"/>
<path d="M9 58V26a17 17 0 0 1 34 0v32" opacity=".35"/>
<g class="${gate}">
<path d="${bars.map((x) => `M${x} ${topOf(x)}V${foot}`).join('')}"/>
<path d="${crossbars.map((y) => `M${10 + inset(y)} ${y}H${42 - inset(y)}`).join('')}" stroke-width="1.5"/>
<path class="spikes" d="${bars.map((x) => `M${x - 2.5} ${foot}h5l-2.5 6z`).join('')}" fill="currentColor" stroke="none"/>
</g>
</svg>`;
}

/** Where a bar meets the inner arch, a half circle of radius 17 around (26, 26). */
function topOf(x: number): string {
  return (26 - Math.sqrt(17 ** 2 - (x - 26) ** 2)).toFixed(1);
}

/** How much shorter a crossbar is inside the arch than between the straight walls. */
function inset(y: number): number {
  return y >= 26 ? 0 : Math.round(17 - Math.sqrt(17 ** 2 - (26 - y) ** 2));
}
