// What happens: lag and backlog, alerts, decisions, plates.

import {ago, count, make, number, plateName, plural, say, seconds, when} from './words.js';
import {openFrame} from './frames.js';

const SEVERITIES = {critical: '▲', warning: '◆', info: '●'};
const ACTIONS = {image_again: 'image again', skip: 'skip', continue: 'continue'};

// --- lag and backlog ---

const FIGURES = [
  ['stored', 'stored', flow => `${number(flow.rate_per_s)} / s`],
  ['lag', 'closed to row, median', flow => seconds(flow.latency_p50_s)],
  ['backlog', 'waiting', flow => count(backlog(flow))],
  ['failed', 'without numbers', flow => count(failed(flow))],
];

const STAGES = [['unsettled', 'not complete'], ['waiting', 'to be queued'], ['queued', 'queued'],
  ['measuring', 'being measured'], ['results_queued', 'to be stored']];

function sum(values) {
  const known = values.filter(value => typeof value === 'number');
  return known.length ? known.reduce((a, b) => a + b, 0) : null;
}

function backlog(flow) {
  return sum(STAGES.map(([name]) => flow[name]));
}

function failed(flow) {
  return sum([flow.broken, flow.vanished, flow.poison]);
}

function drawFigures(flow) {
  const place = document.getElementById('flow');
  if (place.children.length === 0)
    for (const [name, title] of FIGURES) {
      const pair = make('div');
      const figure = make('dd');
      figure.id = `flow-${name}`;
      pair.append(make('dt', '', title), figure);
      place.append(pair);
    }
  for (const [name, , words] of FIGURES) say(document.getElementById(`flow-${name}`), words(flow));
}

function drawFlowWords(flow, now) {
  const words = [];
  const waits = STAGES.filter(([name]) => flow[name] > 0).map(([name, title]) => `${count(flow[name])} ${title}`);
  if (waits.length) words.push(`${waits.join(', ')}.`);
  if (flow.stored > 0) words.push(`95 of 100 had their row within ${seconds(flow.latency_p95_s)}.`);
  if (flow.oldest_unstored_at) words.push(`The oldest without a row is from ${ago(flow.oldest_unstored_at, now)}.`);
  if (flow.holding) words.push(`Held back: ${flow.holding}.`);
  if (flow.nats_reached)
    words.push(`${plural(flow.ingests, 'ingest')}, ${plural(flow.workers, 'worker')}, ${plural(flow.stores, 'store')} answer.`);
  if (flow.unfinished > 0) words.push(`${plural(flow.unfinished, 'file')} will not get complete.`);
  say(document.getElementById('flow-words'), words.join(' '));
}

const CHARTS = [
  {name: 'stored', title: 'stored per second', at: 1, scale: value => value / 10, words: value => number(value)},
  {name: 'lag', title: 'closed to row, median', at: 2, scale: value => value, words: seconds},
  {name: 'waiting', title: 'frames waiting, most', at: 3, scale: value => value, words: count},
];
const CHART_HEIGHT = 30;

function makeCharts() {
  const place = d3.select('#charts');
  if (!place.select('figure').empty()) return;
  const figures = place.selectAll('figure').data(CHARTS).enter().append('figure');
  const caption = figures.append('figcaption');
  caption.append('span').text(chart => chart.title);
  caption.append('span').attr('class', 'most');
  const svg = figures.append('svg').attr('id', chart => `chart-${chart.name}`).attr('role', 'img').attr('height', CHART_HEIGHT + 1);
  svg.append('path').attr('class', 'area');
  svg.append('path').attr('class', 'line');
  svg.append('line').attr('class', 'ground');
  svg.on('pointermove', function (chart) { showPoint(chart, this, d3.mouse(this)[0]); })
    .on('pointerleave', function () { showMost(this); });
}

function showPoint(chart, svg, left) {
  const points = svg.points ?? [];
  const point = points[Math.max(0, Math.min(points.length - 1, Math.floor(left / svg.clientWidth * points.length)))];
  if (point) say(svg.parentNode.querySelector('.most'), `${when(point.at * 1000)}: ${Number.isFinite(point.value) ? chart.words(point.value) : '–'}`);
}

function showMost(svg) {
  say(svg.parentNode.querySelector('.most'), svg.most ?? '');
}

// A step that nobody saw is a gap, not a zero.
function drawChart(chart, history) {
  const svg = document.getElementById(`chart-${chart.name}`);
  const points = history.map(step => ({at: step[0], value: step[chart.at] === null ? NaN : chart.scale(step[chart.at])}));
  const most = d3.max(points, point => Number.isFinite(point.value) ? point.value : undefined);
  const width = svg.clientWidth || 200;
  const x = d3.scaleLinear().domain([0, points.length - 1]).range([0, width]);
  const y = d3.scaleLinear().domain([0, most > 0 ? most : 1]).range([CHART_HEIGHT, 3]);
  const isKnown = point => Number.isFinite(point.value);
  const line = d3.line().defined(isKnown).x((_, i) => x(i)).y(point => y(point.value));
  const area = d3.area().defined(isKnown).x((_, i) => x(i)).y0(CHART_HEIGHT).y1(point => y(point.value));
  d3.select(svg).select('.area').attr('d', area(points));
  d3.select(svg).select('.line').attr('d', line(points));
  d3.select(svg).select('.ground').attr('x2', width).attr('y1', CHART_HEIGHT).attr('y2', CHART_HEIGHT);
  svg.points = points;
  svg.most = most === undefined ? 'nothing in 10 min' : `most in 10 min ${chart.words(most)}`;
  svg.setAttribute('aria-label', `${chart.title}: ${svg.most}`);
  if (!svg.matches(':hover')) showMost(svg);
}

export function drawFlow(state, now) {
  drawFigures(state.flow);
  drawFlowWords(state.flow, now);
  makeCharts();
  // The last step is not over: it would always look like a fall.
  for (const chart of CHARTS) drawChart(chart, chart.name === 'stored' ? state.history.slice(0, -1) : state.history);
}

// --- alerts and decisions ---

let goTo = () => {};

export function onGoTo(listener) {
  goTo = listener;
}

// Rows that stay keep their elements, by key.
function drawRows(list, items, key, makeRow, fillRow, none) {
  const before = new Map([...list.children].map(row => [row.dataset.key, row]));
  const rows = items.map(item => {
    const row = before.get(String(key(item))) ?? makeRow(item);
    row.dataset.key = key(item);
    fillRow(row, item);
    return row;
  });
  if (rows.length === 0) rows.push(make('li', 'quiet', none));
  const same = rows.length === list.children.length && rows.every((row, i) => row === list.children[i]);
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  if (same || (items.length === 0 && list.children.length === 1 && !list.firstChild.dataset.key)) return;
  list.replaceChildren(...rows);
  if (focused?.isConnected) focused.focus({preventScroll: true});
}

function makeAlert(alert) {
  const row = make('li', `alert ${alert.severity in SEVERITIES ? alert.severity : 'info'}`);
  const mark = make('span', 'mark', SEVERITIES[alert.severity] ?? '●');
  mark.setAttribute('aria-hidden', 'true');
  const words = make('span', 'words');
  words.append(make('span', 'severity', `${alert.severity} `), make('span', 'title'), make('span', 'quiet about'));
  const buttons = make('span', 'buttons');
  if (alert.plate !== null) {
    const go = make('button', 'small', 'show on map');
    go.addEventListener('click', () => goTo({plate: alert.plate, source: alert.source, experiment: alert.experiment,
      well: alert.wells?.[0] ?? ''}));
    buttons.append(go);
  }
  if (alert.worst_frame_id) {
    const worst = make('button', 'small', 'worst frame');
    worst.addEventListener('click', () => openFrame(alert.worst_frame_id));
    buttons.append(worst);
  }
  words.append(' ', buttons);
  row.append(mark, words);
  return row;
}

function drawAlerts(told, now) {
  const open = told.alerts_open > told.alerts.length ? ` (${told.alerts.length} of ${told.alerts_open})`
    : told.alerts.length ? ` (${told.alerts.length})` : '';
  say(document.getElementById('alerts-title'), `Alerts${open}`);
  drawRows(document.getElementById('alerts'), told.alerts, alert => alert.alert_id, makeAlert, (row, alert) => {
    say(row.querySelector('.title'), alert.title);
    const known = alert.state === 'acknowledged' ? ', somebody knows' : '';
    say(row.querySelector('.about'), ` since ${ago(alert.opened_at, now).replace(' ago', '')}${known}`);
  }, 'Nothing is wrong that anybody looks for.');
}

function decisionWords(decision) {
  const where = [plateName(decision.plate ?? 'all plates'), decision.well, decision.site ? `site ${decision.site}` : null]
    .filter(Boolean).join(' ');
  return `${where}: ${decision.reason ?? ''}`;
}

function drawDecisions(told) {
  const more = told.decisions_open > told.decisions.length ? ` (${told.decisions.length} of ${told.decisions_open})`
    : told.decisions.length ? ` (${told.decisions.length})` : '';
  say(document.getElementById('decisions-title'), `What the microscope is asked to do${more}`);
  drawRows(document.getElementById('decisions'), told.decisions, decision => decision.decision_id, decision => {
    const row = make('li', 'decision');
    row.append(make('b', '', ACTIONS[decision.action] ?? decision.action), make('span', 'words'));
    return row;
  }, (row, decision) => {
    say(row.querySelector('.words'), ` ${decisionWords(decision)}`);
    row.title = `decided ${when(decision.decided_at)}, counts until ${when(decision.expires_at)}`;
  }, 'Nothing.');
}

// --- plates ---

function makePlate(plate) {
  const row = make('tr');
  const head = make('th');
  head.scope = 'row';
  const button = make('button', 'link');
  button.disabled = plate.plate === null; // what has no plate has no map
  button.addEventListener('click', () => goTo({plate: plate.plate, source: plate.source, experiment: plate.experiment, well: ''}));
  head.append(button);
  row.append(head, make('td', 'number'), make('td', 'number failed'), make('td', 'quiet'));
  return row;
}

function plateKey(plate) {
  return JSON.stringify([plate.source, plate.experiment, plate.plate]);
}

function drawPlates(plates, current, now) {
  const body = document.querySelector('#plates tbody');
  const before = new Map([...body.children].map(row => [row.dataset.key, row]));
  const rows = plates.map(plate => {
    const key = plateKey(plate);
    const row = before.get(key) ?? makePlate(plate);
    row.dataset.key = key;
    const cells = row.children;
    say(cells[0].firstChild, plateName(plate.plate));
    row.title = [plate.experiment, `source ${plate.source}`, `channels ${plate.channels?.join(', ') || '–'}`,
      `from ${when(plate.first_acquired_at)} to ${when(plate.last_acquired_at)}`].filter(Boolean).join('\n');
    say(cells[1], count(plate.frames));
    say(cells[2], plate.failed ? count(plate.failed) : '');
    say(cells[3], ago(plate.last_acquired_at, now));
    row.classList.toggle('chosen', plate === current);
    if (plate === current) cells[0].firstChild.setAttribute('aria-current', 'true');
    else cells[0].firstChild.removeAttribute('aria-current');
    return row;
  });
  const same = rows.length === body.children.length && rows.every((row, i) => row === body.children[i]);
  if (!same) body.replaceChildren(...rows);
}

export function drawTold(told, current, now) {
  drawAlerts(told, now);
  drawDecisions(told);
  drawPlates(told.plates, current, now);
}

export {plateKey};
