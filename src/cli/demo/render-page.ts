// The demo's pages: HTML files with `{{name}}` where a value goes. No template engine, no build.

import { readFileSync } from 'node:fs';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** The page `pages/<file>`; every value is escaped for element content and quoted attributes. */
export function renderPage(file: string, values: Readonly<Record<string, string>> = {}): string {
  return readPageFile(file).replace(/\{\{(\w+)\}\}/g, (_, name: string) => escapeText(values[name] ?? ''));
}

/** A style sheet or script as it stands in `pages/`. */
export function readPageFile(file: string): string {
  return readFileSync(new URL(`./pages/${file}`, import.meta.url), 'utf8');
}

/** The `Content-Type` for a file of `pages/`. */
export function contentType(file: string): string {
  return TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
