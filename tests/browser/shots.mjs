// SPDX-License-Identifier: MIT
// node shots.mjs REPORT.html DIR: pictures of a report in DIR: report.png, its beginning down to the first finding, and
// memory.png, its largest chart; light.png, dark.png and narrow.png, all of it; print.pdf.
import {join} from 'node:path';
import {launch, open} from './browse.mjs';

const [file, dir] = process.argv.slice(2);
const browser = await launch();

// The page from the top of one element to the end of another.
async function between(page, first, last, path) {
  const [from, to] = await Promise.all([first, last].map((selector) => page.locator(selector).first().boundingBox()));
  const clip = {x: 0, y: from.y, width: page.viewportSize().width, height: to.y + to.height - from.y};
  await page.screenshot({path, clip, fullPage: true});
}

for (const [name, options] of Object.entries({
  light: {viewport: {width: 1000, height: 900}},
  dark: {viewport: {width: 1000, height: 900}, colorScheme: 'dark'},
  narrow: {viewport: {width: 360, height: 780}, deviceScaleFactor: 2},
})) {
  const {page, context} = await open(browser, file, options);
  await page.screenshot({path: join(dir, `${name}.png`), fullPage: true});
  if (name === 'light') {
    await between(page, '.top', '.finding', join(dir, 'report.png'));
    await between(page, '[data-chart="memory"]', '[data-chart="memory"]', join(dir, 'memory.png'));
    await page.pdf({path: join(dir, 'print.pdf'), format: 'A4'});
  }
  await context.close();
}
await browser.close();
