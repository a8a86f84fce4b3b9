// The one stylesheet of all pages, inline and named by its hash in the Content-Security-Policy.

import { createHash } from 'node:crypto';

export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f4f1ea;
  --card: #fffdf8;
  --ink: #1d2429;
  --quiet: #59626a;
  --line: #dcd6c9;
  --iron: #2c4350;
  --iron-ink: #fffdf8;
  --warm: #9a5a12;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12171a;
    --card: #1a2125;
    --ink: #ece8df;
    --quiet: #a3acb1;
    --line: #313a40;
    --iron: #d9b36c;
    --iron-ink: #1b1508;
    --warm: #e08d52;
  }
}
* { box-sizing: border-box; }
html { height: 100%; }
body {
  margin: 0;
  min-height: 100%;
  display: grid;
  grid-template-rows: 1fr auto 1.4fr;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  -webkit-text-size-adjust: 100%;
}
main {
  grid-row: 2;
  width: min(34rem, 100% - 2.5rem);
  margin: 2.5rem auto;
}
.card {
  position: relative;
  background: var(--card);
  border: 1px solid var(--line);
  border-top: 3px solid var(--iron);
  border-radius: 2px 2px 8px 8px;
  padding: 2.25rem 2.5rem 2rem;
  overflow-wrap: anywhere;
}
.mark { display: block; width: 3.25rem; height: 3.625rem; margin-left: 2.5rem; color: var(--iron); }
.mark .spikes { color: var(--warm); }
h1 {
  margin: 0 0 .75rem;
  font: 600 1.75rem/1.2 ui-serif, "Iowan Old Style", Charter, "Bitstream Charter", Georgia, serif;
  letter-spacing: -.01em;
  text-wrap: balance;
}
p { margin: 0 0 .875rem; }
p:last-child { margin-bottom: 0; }
.note { border-left: 3px solid var(--warm); padding-left: .875rem; color: var(--ink); }
strong { font-weight: 600; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem 1.25rem; margin: 1.625rem 0 0; }
.button {
  display: inline-block;
  padding: .625rem 1.25rem;
  border: 1px solid var(--iron);
  border-radius: 4px;
  background: var(--iron);
  color: var(--iron-ink);
  font: inherit;
  font-weight: 600;
  text-decoration: none;
  cursor: pointer;
}
.button.quiet { background: none; color: var(--iron); }
.button:hover { filter: brightness(1.12); }
a { color: var(--iron); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--warm); outline-offset: 3px; border-radius: 4px; }
form { margin: 0; }
.reference {
  display: flex;
  flex-wrap: wrap;
  gap: .125rem 1.25rem;
  margin: 1.125rem .125rem 0;
  color: var(--quiet);
  font-size: .8125rem;
}
.reference code {
  color: var(--ink);
  font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  user-select: all;
}
@media (max-width: 30rem) {
  body { grid-template-rows: 0 auto 1fr; }
  main { margin: 1.25rem auto; }
  .card { padding: 1.625rem 1.375rem 1.5rem; }
  .mark { margin-left: 1.375rem; }
  h1 { font-size: 1.5rem; }
  .actions .button { flex: 1 1 100%; text-align: center; }
  .actions form { flex: 1 1 100%; }
  .actions form .button { width: 100%; }
}
@media (prefers-reduced-motion: no-preference) {
  .raised, .lowered { animation: settle .5s cubic-bezier(.3, 1.3, .5, 1) both; }
}
@keyframes settle { from { transform: translateY(-9px); } to { transform: none; } }
@media print { body { background: none; } .actions { display: none; } }
`;

/** The stylesheet's name in `style-src`. */
export const PAGE_STYLE_HASH = `'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`;
