// A real Chromium for the tests that click, and the album of what it showed.

import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where Chromium is, or undefined. */
export function findChromium(): string | undefined {
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders
    .map((folder) => join(folder, 'chromium'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Why the clicked tests are not run, in one line with the cure; false where they can be. @throws it where all must run. */
export function whyNoChromium(): string | false {
  if (findChromium() !== undefined) return false;
  const why = 'Chromium is not here. Cure: apt-get install chromium';
  if (process.env['CI'] === 'true' || process.env['PORTCULLIS_REQUIRE_ALL'] === '1') throw new Error(why);
  return why;
}

/** @param more arguments of the command line */
export async function launchChromium(...more: readonly string[]): Promise<Browser> {
  return await chromium.launch({ executablePath: findChromium()!, args: [...ARGUMENTS, ...more] });
}

/** Saves each page as a desktop shows it by day and by night, and a telephone. */
export class Album {
  /** $SCREENSHOTS, or a new folder for temporary files. */
  readonly folder: string;

  constructor() {
    this.folder = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'portcullis-screenshots-'));
    mkdirSync(this.folder, { recursive: true });
  }

  async take(page: Page, name: string): Promise<void> {
    const desktop = page.viewportSize()!;
    await this.#shoot(page, name);
    await page.emulateMedia({ colorScheme: 'dark' });
    await this.#shoot(page, `${name}-dark`);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 375, height: 740 });
    await this.#shoot(page, `${name}-phone`);
    await page.setViewportSize(desktop);
  }

  async #shoot(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(this.folder, `${name}.png`), fullPage: true });
  }
}
