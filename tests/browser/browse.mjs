// SPDX-License-Identifier: MIT
// Chromium for tests of reports: a page that may ask nothing of anybody, and everything it complains about.
import {chromium} from 'playwright-core';
import {pathToFileURL} from 'node:url';

// The program is Debian's; there is no sandbox for root.
export function launch() {
  return chromium.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});
}

// Opens the file; complaints gathers errors, messages of the console, dialogs and requests for anything else.
export async function open(browser, file, options = {}) {
  const url = pathToFileURL(file).href;
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  const complaints = [];
  page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url)
      complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return {page, context, complaints};
}
