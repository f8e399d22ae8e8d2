/* SPDX-License-Identifier: MIT
 * What a report can do where scripts run: sort and filter its long tables, change between light and
 * dark, and, with dygraphs, charts in the place of the pictures over time. Text goes into the page
 * as text only. */
'use strict';
(() => {
const all = (selector, within) => [...(within || document).querySelectorAll(selector)];

function make(name, attributes, text) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    element.setAttribute(key, value);
  if (text !== undefined)
    element.textContent = text;
  return element;
}

/* ---- light and dark ---- */

const preferred = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (document.documentElement.dataset.theme || (preferred.matches ? 'dark' : 'light')) === 'dark';
const whenThemed = [];

function addThemeButton() {
  const button = make('button', {id: 'theme', type: 'button'});
  const themed = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
    whenThemed.forEach((f) => f());
  };
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    themed();
  });
  preferred.addEventListener('change', themed);
  document.querySelector('.top').append(button);
  themed();
}

/* ---- terms ---- */

/* The meaning of a term stands at its first use. */
function spreadTips() {
  const tips = new Map(all('a.term[data-tip]').map((a) => [a.hash, a.dataset.tip]));
  for (const term of all('a.term:not([data-tip])'))
    term.dataset.tip = tips.get(term.hash) || '';
}

/* Whoever reads with the keyboard may put an explanation away. */
function dismissTips(event) {
  if (event.key !== 'Escape')
    return;
  for (const tip of all('[data-tip]:hover, [data-tip]:focus')) {
    tip.classList.add('dismissed');
    const again = () => tip.classList.remove('dismissed');
    tip.addEventListener('blur', again, {once: true});
    tip.addEventListener('mouseleave', again, {once: true});
  }
}

/* ---- tables ---- */

/* Unknown is neither small nor large: it stays at the end. */
function compare(a, b, down) {
  if (a === '' || b === '')
    return (a === '') - (b === '');
  const order = typeof a === 'number' && typeof b === 'number' ? a - b :
    String(a).localeCompare(String(b), 'en', {numeric: true});
  return down ? -order : order;
}

function valueOf(cell) {
  const text = cell.textContent.trim();
  if (cell.dataset.v !== undefined)
    return Number(cell.dataset.v);
  return !cell.classList.contains('num') ? text : text === '?' ? '' : Number(text);
}

function sortTable(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const down = head.getAttribute('aria-sort') ? head.getAttribute('aria-sort') === 'ascending' :
    head.classList.contains('num');
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row.cells[column]), row]);
  rows.sort((a, b) => compare(a[0], b[0], down));
  table.tBodies[0].append(...rows.map((pair) => pair[1]));
  all('th[aria-sort]', table.tHead).forEach((th) => th.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((th, column) => {
    const button = make('button', {type: 'button'}, th.textContent);
    const term = th.querySelector('.term');
    if (term)
      button.dataset.tip = term.dataset.tip;
    th.replaceChildren(button);
    th.classList.add('sortable');
    button.addEventListener('click', () => sortTable(table, column));
  });
}

function makeFilter(table) {
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const bar = make('div', {class: 'filter'});
  const label = make('label', {}, 'Filter ');
  const input = make('input', {type: 'search', autocomplete: 'off', spellcheck: 'false'});
  const count = make('span', {class: 'quiet', role: 'status'});
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    count.textContent = words.length ? shown + ' of ' + rows.length : '';
  });
  label.append(input);
  bar.append(label, count);
  table.before(bar);
}

/* ---- amounts ---- */

function bytes(v) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  while (Math.abs(v) >= 1023.95 && unit + 1 < units.length) {
    v /= 1024;
    unit++;
  }
  return (unit ? v.toFixed(Math.abs(v) < 100 ? 1 : 0) : Math.round(v)) + ' ' + units[unit];
}

const writers = {
  bytes,
  'bytes/s': (v) => bytes(v) + '/s',
  percent: (v) => v.toFixed(Math.abs(v) < 10 ? 1 : 0) + '%',
  count: (v) => String(Math.round(v)),
};

/* ---- charts ---- */

const data = JSON.parse(document.getElementById('chart-data')?.textContent || 'null');
const charts = [];
/* Times are shown in the recorded machine's zone: they are moved by its offset and read as UTC. */
const start = data && Date.parse(data.charts.from) + data.offset * 1000;
/* The time axis of all charts: that of the one that knows most. */
const span = data && [data.charts.seconds, data.charts.memory?.seconds || []].flatMap((s) => [s[0], s.at(-1)])
  .filter((s) => s !== undefined).map((s) => start + s * 1000);
const whole = data && [Math.min(...span), Math.max(...span)];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (layer) => colour('--layer-' + layer.name.toLowerCase().replace(/[^a-z0-9]/g, '-')) || colour('--layer-other');
const timeText = (ms) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

function marksNear(g, x) {
  const reach = 4 * (g.xAxisRange()[1] - g.xAxisRange()[0]) / Math.max(g.getArea().w, 1);
  return data.marks.filter((m) => {
    const from = start + m.seconds * 1000, until = m.until === null ? from : start + m.until * 1000;
    return x >= from - reach && x <= until + reach;
  });
}

function drawMarks(event) {
  const g = event.dygraph, context = event.drawingContext, area = g.getArea();
  context.save();
  context.beginPath();
  context.rect(area.x, area.y, area.w, area.h);
  context.clip();
  for (const mark of data.marks) {
    const x = g.toDomXCoord(start + mark.seconds * 1000);
    const wide = mark.until === null ? 0 : g.toDomXCoord(start + mark.until * 1000) - x;
    if (wide > 1) {
      context.globalAlpha = mark.kind === 'swap' ? 0.25 : 0.12;
      context.fillStyle = colour(mark.kind === 'swap' ? '--warning' : '--ink');
      context.fillRect(x, area.y, wide, area.h);
      continue;
    }
    context.globalAlpha = 0.8;
    context.strokeStyle = colour(mark.kind === 'oom' ? '--alarm' : '--ink');
    context.setLineDash(mark.kind === 'oom' ? [] : [3, 3]);
    context.beginPath();
    context.moveTo(x, area.y);
    context.lineTo(x, area.y + area.h);
    context.stroke();
  }
  context.restore();
}

let together = false; /* what one chart does, the others do, once */
function withOthers(chart, what) {
  if (together)
    return;
  together = true;
  charts.filter((other) => other !== chart).forEach(what);
  together = false;
}

function setWindow(window) {
  together = true;
  charts.forEach((chart) => chart.g.updateOptions(window ? {dateWindow: window} : {dateWindow: whole, valueRange: null}));
  together = false;
}

/* The point nearest to an instant. */
function rowAt(chart, second) {
  let best = 0;
  chart.seconds.forEach((s, i) => {
    if (Math.abs(s - second) < Math.abs(chart.seconds[best] - second))
      best = i;
  });
  return best;
}

/* times > 1 looks closer; aside is a part of the width. */
function moveWindow(times, aside) {
  const [low, high] = whole;
  const [from, to] = charts[0].g.xAxisRange();
  const width = Math.min(Math.max((to - from) / times, (high - low) / 1e5, 1), high - low);
  const middle = (from + to) / 2 + aside * width;
  const left = Math.min(Math.max(middle - width / 2, low), high - width);
  setWindow(width >= high - low ? null : [left, left + width]);
}

function readings(chart, row) {
  const {layers, line, figure} = chart;
  if (line) {
    const v = line.values[row];
    chart.reading.textContent = v === null ? '?' : writers[line.unit](v) +
      (line.high[row] > line.low[row] ? ' (' + writers[line.unit](line.low[row]) + ' to ' + writers[line.unit](line.high[row]) + ')' : '');
    return line.title + ' ' + chart.reading.textContent;
  }
  all('.legend .value', figure).forEach((span) => {
    const v = layers[Number(span.dataset.layer)].values[row];
    span.textContent = v === null ? '?' : bytes(v);
  });
  return layers.map((l) => l.title + ' ' + (l.values[row] === null ? '?' : bytes(l.values[row]))).join(', ');
}

/* All charts show the instant of that row. */
function select(chart, row) {
  const second = chart.seconds[row], x = start + second * 1000;
  const near = marksNear(chart.g, x).map((m) => m.kind + ': ' + m.text);
  document.querySelector('.chart-bar .at').textContent = [timeText(x), ...near].join(' \u00b7 ');
  for (const one of charts) {
    one.row = one === chart ? row : rowAt(one, second);
    const text = readings(one, one.row);
    one.place.setAttribute('aria-valuenow', one.row);
    one.place.setAttribute('aria-valuetext', timeText(x) + ', ' + text);
  }
  withOthers(chart, (other) => other.g.setSelection(other.row));
}

function unselect() {
  document.querySelector('.chart-bar .at').textContent = '';
  all('.reading, .legend .value').forEach((span) => { span.textContent = ''; });
}

const keys = {
  ArrowLeft: (chart) => step(chart, -1),
  ArrowRight: (chart) => step(chart, 1),
  PageUp: () => moveWindow(1, -0.5),
  PageDown: () => moveWindow(1, 0.5),
  Home: (chart) => step(chart, -Infinity),
  End: (chart) => step(chart, Infinity),
  '+': () => moveWindow(2, 0),
  '-': () => moveWindow(0.5, 0),
  0: () => setWindow(null),
};

function step(chart, by) {
  const last = chart.seconds.length - 1;
  const row = Math.min(Math.max((chart.row === undefined ? (by > 0 ? -1 : last + 1) : chart.row) + by, 0), last);
  chart.g.setSelection(row);
  select(chart, row);
}

function press(chart, event) {
  const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : keys[event.key];
  if (act) {
    event.preventDefault();
    act(chart);
  }
}

/* One finger scrolls the page; two look closer. */
function interaction() {
  const model = Object.assign({}, Dygraph.defaultInteractionModel);
  for (const name of ['touchstart', 'touchmove']) {
    const usual = model[name];
    model[name] = (event, g, context) => {
      if (event.touches.length > 1)
        usual(event, g, context);
    };
  }
  delete model.touchend;
  model.dblclick = () => setWindow(null);
  return model;
}

function themeOptions(chart) {
  return {
    colors: chart.layers ? chart.layers.map(colourOf) : [colour('--series')],
    gridLineColor: colour('--rule'),
    axisLineColor: colour('--rule'),
  };
}

function rowsOf(chart) {
  const {layers, line} = chart;
  return chart.seconds.map((s, i) => [new Date(start + s * 1000), ...(layers ?
    layers.map((l) => l.values[i]) :
    [line.values[i] === null ? null : [line.low[i], line.values[i], line.high[i]]])]);
}

function optionsOf(chart) {
  const write = writers[chart.layers ? 'bytes' : chart.line.unit];
  return Object.assign({
    labels: ['time', ...(chart.layers ? chart.layers.map((l) => l.name) : [chart.line.name])],
    labelsUTC: true,
    dateWindow: whole,
    stackedGraph: Boolean(chart.layers),
    stackedGraphNaNFill: 'none',
    customBars: Boolean(chart.line),
    fillAlpha: chart.layers ? 1 : 0.3,
    strokeWidth: chart.layers ? 0 : 1.5,
    highlightCircleSize: chart.layers ? 0 : 3,
    includeZero: true,
    xRangePad: 0,
    yRangePad: 4,
    animatedZooms: false,
    interactionModel: interaction(),
    axes: {
      x: {pixelsPerLabel: 90, axisLabelWidth: 84, axisLabelFontSize: 12},
      y: {labelsKMG2: !chart.line || chart.line.unit.startsWith('bytes'), axisLabelWidth: 68, axisLabelFontSize: 12,
        pixelsPerLabel: 36, axisLabelFormatter: (v) => write(v)},
    },
    plugins: [{activate: () => ({didDrawChart: drawMarks}), toString: () => 'marks'}],
    highlightCallback: (event, x, points, row) => {
      if (!together)
        select(chart, row);
    },
    unhighlightCallback: () => {
      withOthers(chart, (other) => other.g.clearSelection());
      unselect();
    },
    drawCallback: (g, initial) => {
      if (!initial)
        withOthers(chart, (other) => other.g.updateOptions({dateWindow: g.xAxisRange()}));
    },
  }, themeOptions(chart));
}

function addChart(figure) {
  const which = figure.dataset.chart;
  const chart = which === 'memory' ?
    {figure, seconds: data.charts.memory.seconds, layers: data.charts.memory.layers} :
    {figure, seconds: data.charts.seconds, line: data.charts.lines[Number(which)]};
  const caption = figure.querySelector('figcaption');
  chart.reading = make('span', {class: 'reading'});
  if (chart.line)
    caption.append(chart.reading);
  all('.legend li', figure).forEach((item, i) => item.append(make('span', {class: 'value', 'data-layer': i})));
  chart.place = make('div', {class: 'live', tabindex: 0, role: 'slider', 'aria-label': caption.textContent + ', over time',
    'aria-valuemin': 0, 'aria-valuemax': chart.seconds.length - 1, 'aria-valuenow': 0, 'aria-valuetext': 'arrow keys read values'});
  figure.querySelector('.still').after(chart.place);
  figure.classList.add('has-live');
  chart.g = new Dygraph(chart.place, rowsOf(chart), optionsOf(chart));
  chart.place.addEventListener('keydown', (event) => press(chart, event));
  charts.push(chart);
}

function addBar() {
  const bar = make('div', {class: 'chart-bar', role: 'group', 'aria-label': 'Time axis of the charts'});
  const buttons = [['Closer', () => moveWindow(2, 0)], ['Wider', () => moveWindow(0.5, 0)],
    ['Earlier', () => moveWindow(1, -0.5)], ['Later', () => moveWindow(1, 0.5)], ['All', () => setWindow(null)]];
  for (const [text, act] of buttons) {
    const button = make('button', {type: 'button'}, text);
    button.addEventListener('click', act);
    bar.append(button);
  }
  bar.append(make('span', {class: 'at', role: 'status'}));
  document.getElementById('charts').prepend(bar);
}

function addCharts() {
  if (typeof Dygraph === 'undefined' || !data || data.charts.seconds.length < 2)
    return;
  /* Values are shown in the page's own legend; the library's would write style attributes, which the policy forbids. */
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
  addBar();
  all('figure[data-chart]').forEach(addChart);
  whenThemed.push(() => charts.forEach((chart) => chart.g.updateOptions(themeOptions(chart))));
}

addThemeButton();
spreadTips();
addEventListener('keydown', dismissTips);
for (const table of all('table[data-long]')) {
  makeSortable(table);
  if (table.tBodies[0].rows.length > 8)
    makeFilter(table);
}
addCharts();
addEventListener('beforeprint', () => all('details').forEach((d) => { d.open = true; }));
})();
