// SPDX-License-Identifier: MIT
// node check.mjs REPORT.html REPORT.json HOSTILE.html SHORT.html [OTHER.html...]: what readers do with a report, done by
// a browser. REPORT.json is the same report; HOSTILE.html is one of a recording with processes whose names are markup;
// SHORT.html has few rows, for axe-core, which takes its time for each. Of others it is seen that they fit on screens and
// ask for nothing. Prints what it looked at; ends with 1 when anything was not as it should be.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {readFileSync, statSync} from 'node:fs';
import {basename} from 'node:path';
import {launch, open} from './browse.mjs';

const [file, json, hostile, short, ...others] = process.argv.slice(2);
const doc = JSON.parse(readFileSync(json, 'utf8'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await launch();
let failures = 0;

// One thing to be looked at, in a page of its own that must have no complaints in the end.
async function look(what, test, options = {}) {
  const begun = Date.now();
  const opened = await open(browser, options.file || file, options);
  try {
    await test(opened.page, opened);
    assert.deepEqual(opened.complaints, []);
    console.log(`ok: ${what} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures++;
    console.log(`FAILED: ${what}: ${error.message}`);
  }
  await opened.context.close();
}

const texts = (page, selector) => page.locator(selector).allInnerTexts();
const style = (page, selector, property) =>
  page.locator(selector).first().evaluate((e, p) => getComputedStyle(e)[p], property);
const axis = (page, chart) => texts(page, `[data-chart="${chart}"] .dygraph-axis-label-x`);

async function boxOf(page, chart) {
  const place = page.locator(`[data-chart="${chart}"] .live`);
  await place.scrollIntoViewIfNeeded();
  return place.boundingBox();
}

async function noSeriousViolation(page) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  const bad = violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), []);
}

await look('sizes', async () => {
  for (const one of [file, hostile, short, ...others])
    assert.ok(statSync(one).size < 1 << 20, `${basename(one)}: ${statSync(one).size} bytes`);
});

await look('the verdict is read first, and every finding is there', async (page) => {
  const alarms = doc.leaks.findings.filter((f) => doc.verdict.some((v) => v.finding === f.id));
  assert.ok(alarms.length > 0, 'the recording has no finding');
  assert.equal(await page.locator('main > section').first().getAttribute('id'), 'verdict');
  assert.equal(await page.locator('#verdict li').count(), doc.verdict.length);
  const sentences = (await texts(page, '#verdict li')).join('\n');
  for (const finding of alarms) {
    assert.ok(sentences.includes(finding.sentence), finding.sentence);
    const article = page.locator(`#finding-${finding.id.toLowerCase().replace(/[^a-z0-9]/g, '-')}`);
    assert.equal(await article.locator('h3').innerText(), finding.title);
    assert.equal(await article.locator('.evidence li').count(), finding.evidence.length);
    assert.equal(await article.locator('svg.shape').count(), 1);
  }
  await page.locator('#verdict a').first().click();
  assert.match(page.url(), /#finding-/);
});

await look('sections and links of the contents', async (page) => {
  for (const link of await page.locator('nav a').all()) {
    const target = await link.getAttribute('href');
    assert.equal(await page.locator(`${target} h2`).count(), 1, target);
  }
  for (const id of ['machine', 'leaks', 'growth', 'memory', 'processes', 'cost', 'glossary'])
    assert.equal(await page.locator(`section#${id}`).count(), 1, id);
});

await look('sorting', async (page) => {
  const numbers = async () => (await page.locator('#process-list tbody tr').evaluateAll(
    (rows) => rows.map((row) => row.cells[1].dataset.v))).map(Number);
  const button = page.locator('#process-list th', {hasText: 'PID'}).getByRole('button');
  await button.click();
  const down = await numbers();
  assert.equal(down.length, doc.processes.rows.length);
  assert.deepEqual(down, [...down].sort((a, b) => b - a));
  await button.press('Enter');
  const up = await numbers();
  assert.deepEqual(up, [...down].reverse());
  assert.equal(await page.locator('#process-list th[aria-sort]').getAttribute('aria-sort'), 'ascending');
});

await look('what is not known is sorted last, either way', async (page) => {
  const head = page.locator('#process-list th', {hasText: 'PSS'});
  for (let i = 0; i < 2; i++) {
    await head.getByRole('button').click();
    const values = await page.locator('#process-list tbody tr').evaluateAll((rows, at) =>
      rows.map((row) => row.cells[at].dataset.v), await head.evaluate((th) => th.cellIndex));
    const first = values.indexOf('');
    assert.ok(first < 0 || values.slice(first).every((v) => v === ''), values.join(' '));
  }
});

await look('filtering', async (page) => {
  const comm = doc.processes.rows.at(-1).comm;
  const rows = page.locator('#process-list tbody tr:visible');
  const all = await rows.count();
  const filter = page.locator('.filter', {has: page.locator('+ #process-list')}).getByRole('searchbox');
  await filter.fill(comm.toUpperCase());
  const left = await texts(page, '#process-list tbody tr:visible');
  assert.ok(left.length > 0 && left.length < all, `${left.length} of ${all}`);
  assert.ok(left.every((text) => text.toLowerCase().includes(comm.toLowerCase())));
  await filter.fill('');
  assert.equal(await rows.count(), all);
});

await look('zoom changes the axis of all charts, and back', async (page) => {
  const before = await axis(page, 'memory');
  assert.ok(before.length > 1, 'no axis');
  const box = await boxOf(page, 'memory');
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, {steps: 5});
  await page.mouse.up();
  const closer = await axis(page, 'memory');
  assert.notDeepEqual(closer, before);
  assert.deepEqual(await axis(page, '0'), closer);
  await page.getByRole('button', {name: 'Later'}).click();
  assert.notDeepEqual(await axis(page, 'memory'), closer, 'pan');
  await page.getByRole('button', {name: 'All'}).click();
  assert.deepEqual(await axis(page, 'memory'), before);
  assert.deepEqual(await axis(page, '0'), before);
});

await look('values under the pointer, of every chart', async (page) => {
  const box = await boxOf(page, 'memory');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  assert.match(await page.locator('.chart-bar .at').innerText(), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
  for (const value of await texts(page, '.legend .value'))
    assert.match(value, /^(-?[\d.]+ [KMG]?i?B|\?)$/);
  for (const value of await texts(page, '.reading'))
    assert.match(value, /^([\d.]+|\?)/);
});

await look('the keyboard alone', async (page) => {
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  const chart = page.locator('[data-chart="memory"] .live');
  const before = await axis(page, 'memory');
  await chart.focus();
  await page.keyboard.press('End');
  const last = await chart.getAttribute('aria-valuetext');
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await chart.getAttribute('aria-valuetext'), last);
  await page.keyboard.press('+');
  assert.notDeepEqual(await axis(page, 'memory'), before);
  await page.keyboard.press('0');
  assert.deepEqual(await axis(page, 'memory'), before);
});

await look('terms tell their meaning, and lead to the glossary', async (page) => {
  const term = page.locator('a.term').first();
  await page.evaluate(() => document.querySelector('a.term').focus({focusVisible: true}));
  const shown = () => term.evaluate((e) => getComputedStyle(e, '::after').content);
  const meaning = await term.getAttribute('data-tip');
  assert.ok(meaning.length > 10 && (await shown()).includes(meaning.slice(0, 10)));
  await page.keyboard.press('Escape');
  assert.equal(await shown(), 'none');
  assert.equal(await page.locator(await term.getAttribute('href')).count(), 1);
});

await look('dark where the reader prefers it', async (page) => {
  assert.equal(await style(page, 'body', 'backgroundColor'), 'rgb(20, 23, 26)');
  await page.locator('#theme').click();
  assert.equal(await style(page, 'body', 'backgroundColor'), 'rgb(255, 255, 255)');
}, {colorScheme: 'dark'});

await look('dark where the reader asks for it', async (page) => {
  assert.equal(await style(page, 'body', 'backgroundColor'), 'rgb(255, 255, 255)');
  await page.locator('#theme').click();
  assert.equal(await style(page, 'body', 'backgroundColor'), 'rgb(20, 23, 26)');
});

// Nothing is wider than the screen, whatever its width.
async function noSideways(page) {
  for (const width of [1024, 768, 360]) {
    await page.setViewportSize({width, height: 800});
    const wide = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((e) =>
      e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.unseen, svg, canvas') &&
      getComputedStyle(e.closest('thead') || e).clipPath === 'none').map((e) =>
      `${e.tagName} ${e.className}: ${e.textContent.slice(0, 40)}`));
    assert.deepEqual(wide.slice(0, 5), [], `${width} px`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
  }
}

for (const one of [file, short, ...others])
  await look(`${basename(one)} on any screen`, noSideways, {file: one});

for (const [how, options] of Object.entries({
  light: {}, dark: {colorScheme: 'dark'}, narrow: {viewport: {width: 360, height: 800}},
}))
  await look(`axe-core, ${how}`, noSeriousViolation, {file: short, ...options});
if (others.length)
  await look(`axe-core, ${basename(others.at(-1))}`, noSeriousViolation, {file: others.at(-1)});

await look('filtering where rows are lines', async (page) => {
  const rows = page.locator('#process-list tbody tr:visible');
  await page.locator('.filter', {has: page.locator('+ #process-list')}).getByRole('searchbox').fill('no such process');
  assert.equal(await rows.count(), 0);
}, {viewport: {width: 360, height: 800}});

await look('without scripts: text, tables and pictures', async (page) => {
  assert.equal(await page.locator('#verdict li:visible').count(), doc.verdict.length);
  assert.equal(await page.locator('#process-list tbody tr:visible').count(), doc.processes.rows.length);
  assert.ok(await page.locator('[data-chart="memory"] svg').isVisible());
  assert.ok(await page.locator('svg.shape').first().isVisible());
  assert.equal(await page.locator('button:visible, input:visible').count(), 0);
}, {javaScriptEnabled: false});

await look('printing', async (page) => {
  const pdf = await page.pdf({format: 'A4'});
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  assert.ok(pdf.length > 20000, `${pdf.length} bytes`);
  await page.emulateMedia({media: 'print', colorScheme: 'dark'});
  assert.equal(await style(page, 'body', 'backgroundColor'), 'rgb(255, 255, 255)');
  assert.ok(!await page.locator('nav').isVisible() && !await page.locator('.live').first().isVisible());
  assert.ok(await page.locator('[data-chart="memory"] svg').isVisible());
});

await look('names that are markup stand there as text', async (page) => {
  const all = await page.locator('body').innerText();
  for (const name of ['<script>alert(1', '"><img src=x onerror=alert(1)>'])
    assert.ok(all.includes(name) || await page.locator(`[title*='${name}']`).count() > 0, name);
  assert.equal(await page.locator('img, iframe, object, embed, [onerror], [onload]').count(), 0);
  const scripts = await page.locator('script').evaluateAll((all) => all.filter((s) => !s.type).length);
  assert.equal(scripts, 2);
}, {file: hostile});

await browser.close();
process.exit(failures ? 1 : 0);
