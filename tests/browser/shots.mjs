// SPDX-License-Identifier: MIT
// node shots.mjs REPORT.html DIR: pictures of a report in DIR: light.png, dark.png, narrow.png of its beginning, and of
// all of it light-all.png, dark-all.png, narrow-all.png, and print.pdf.
import {join} from 'node:path';
import {launch, open} from './browse.mjs';

const [file, dir] = process.argv.slice(2);
const browser = await launch();
for (const [name, options] of Object.entries({
  light: {viewport: {width: 1200, height: 1000}},
  dark: {viewport: {width: 1200, height: 1000}, colorScheme: 'dark'},
  narrow: {viewport: {width: 360, height: 780}, deviceScaleFactor: 2},
})) {
  const {page, context} = await open(browser, file, options);
  await page.screenshot({path: join(dir, `${name}.png`)});
  await page.screenshot({path: join(dir, `${name}-all.png`), fullPage: true});
  if (name === 'light')
    await page.pdf({path: join(dir, 'print.pdf'), format: 'A4'});
  await context.close();
}
await browser.close();
