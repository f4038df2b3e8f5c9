// The plate map: a colour for each well's number. One tab stop; arrow keys go over the wells.

import {number, plural, unit, say} from './words.js';

const FORMATS = [[2, 3], [3, 4], [4, 6], [6, 8], [8, 12], [16, 24], [32, 48]];
const MARKS = {positive: '+', negative: '−', reference: 'r', blank: 'b'};
const MOST_CELL = 104;
const GAP = 1;
const BINS = 41; // odd: a single value stands in the middle
const COLOURS = d3.range(256).map(n => d3.interpolateViridis(n / 255)); // as the pictures have them
const IS_DARK = COLOURS.map(colour => d3.lab(colour).l < 60);

const svg = d3.select('#map');
const hint = document.getElementById('hint');
let shape = null; // rows, columns, and where things stand in pixels
let wells = new Map(); // name -> {well, row, column, value, frames, role, holds, text}
let scale = null; // low, high, below, above
let told = {measure: '', unit: '', alerts: new Map()};
let chosen = '';
let onChoose = () => {};

export function onWell(listener) {
  onChoose = listener;
}

export function rowName(row) {
  const last = String.fromCharCode(65 + (row - 1) % 26);
  return row > 26 ? String.fromCharCode(64 + Math.floor((row - 1) / 26)) + last : last;
}

export function wellName(row, column) {
  return rowName(row) + String(column).padStart(2, '0');
}

// --- the numbers ---

// The layout's plate, or else the least that holds all wells seen.
function formatOf(map) {
  if (map.rows && map.columns) return [Math.min(map.rows, 32), Math.min(map.columns, 48)];
  const row = d3.max(map.wells, well => well[1]) ?? 1;
  const column = d3.max(map.wells, well => well[2]) ?? 1;
  return FORMATS.find(([rows, columns]) => rows >= row && columns >= column) ?? [32, 48];
}

// All but what lies three times the middle half's width away from it: one hot well shall not make
// all the others look alike. The pictures of scopestream-store map have the same rule.
function scaleOf(values, measure) {
  const sorted = values.filter(Number.isFinite).sort(d3.ascending);
  if (sorted.length === 0) return null;
  if (measure === 'score') return {low: 0, high: 1, below: 0, above: 0, sorted};
  const q1 = d3.quantile(sorted, 0.25), q3 = d3.quantile(sorted, 0.75), width = q3 - q1;
  const inside = width > 0
    ? sorted.filter(value => value >= q1 - 3 * width && value <= q3 + 3 * width) : sorted;
  const low = measure === 'frames' ? 0 : inside[0], high = inside[inside.length - 1];
  return {low, high, sorted, below: sorted.filter(value => value < low).length,
    above: sorted.filter(value => value > high).length};
}

function share(value) {
  const range = scale.high - scale.low;
  return range > 0 ? Math.max(0, Math.min(1, (value - scale.low) / range)) : 0.5;
}

function colourIndex(value) {
  return Math.round(share(value) * (COLOURS.length - 1));
}

function hasValue(well) {
  return well !== undefined && Number.isFinite(well.value);
}

// -1 below the scale, 1 above it, else 0.
function beyond(well) {
  if (!scale || !hasValue(well)) return 0;
  return Number(well.value > scale.high) - Number(well.value < scale.low);
}

// What stands in a well, in words: for the hint and for screen readers.
export function wellWords(name) {
  const well = wells.get(name);
  const words = [name];
  if (well?.role === 'empty') words.push('left empty');
  else if (!well?.isSeen) words.push('no frame yet');
  else if (!hasValue(well)) words.push(`${told.measure} has no value`);
  else words.push(`${told.measure} ${number(well.value)} ${told.unit}`.trim());
  if (beyond(well)) words.push(beyond(well) < 0 ? 'below the scale' : 'above the scale');
  if (well?.frames && told.measure !== 'frames') words.push(plural(well.frames, 'frame'));
  if (well?.role && !['sample', 'empty'].includes(well.role)) words.push(well.role);
  if (well?.holds) words.push(well.holds);
  const alerts = told.alerts.get(name);
  if (alerts) words.push(`alert: ${alerts.join('; ')}`);
  return words.join(', ');
}

export function wellOf(name) {
  return wells.get(name);
}

function takeWells(map) {
  wells = new Map();
  for (const [name, role, holds] of map.layout) wells.set(name, {well: name, role, holds});
  for (const [name, row, column, value, frames] of map.wells)
    wells.set(name, {...wells.get(name), well: name, row, column, value, frames: frames ?? 0, isSeen: true});
}

// --- where things stand ---

// As large as there is room for.
function measureRoom(rows, columns) {
  const room = document.getElementById('map-room');
  const fits = getComputedStyle(room).getPropertyValue('--fits').trim() === '1'; // into a given height
  const left = rows > 26 ? 24 : 18, top = 16;
  const width = room.clientWidth - left - 2;
  const height = fits ? room.clientHeight - top - 2 : Infinity;
  const cell = Math.max(5, Math.min(MOST_CELL, width / columns, height / rows));
  return {rows, columns, left, top, cell, width: left + columns * cell + 2, height: top + rows * cell + 2};
}

function x(column) {
  return shape.left + (column - 1) * shape.cell;
}

function y(row) {
  return shape.top + (row - 1) * shape.cell;
}

// Every which label is written: none may touch the next.
function stepOf(least) {
  return [1, 2, 4, 8].find(step => step * shape.cell >= least) ?? 16;
}

function drawLabels() {
  const across = d3.range(1, shape.columns + 1).filter(n => (n - 1) % stepOf(18) === 0);
  const down = d3.range(1, shape.rows + 1).filter(n => (n - 1) % stepOf(11) === 0);
  svg.select('g.labels').selectAll('text.column').data(across).join('text').attr('class', 'column')
    .attr('x', n => x(n) + shape.cell / 2).attr('y', shape.top - 5).text(n => n);
  svg.select('g.labels').selectAll('text.row').data(down).join('text').attr('class', 'row')
    .attr('x', shape.left - 5).attr('y', n => y(n) + shape.cell / 2).text(rowName);
}

function prepareOnce() {
  if (!svg.select('defs').empty()) return;
  const hatch = svg.append('defs').append('pattern').attr('id', 'hatch').attr('width', 5).attr('height', 5)
    .attr('patternUnits', 'userSpaceOnUse').attr('patternTransform', 'rotate(45)');
  hatch.append('rect').attr('class', 'hatch-ground').attr('width', 5).attr('height', 5);
  hatch.append('line').attr('class', 'hatch-line').attr('y2', 5);
  svg.append('g').attr('class', 'labels').attr('aria-hidden', 'true');
  svg.append('g').attr('class', 'cells').attr('role', 'rowgroup');
  svg.append('g').attr('class', 'marks').attr('aria-hidden', 'true');
  svg.append('rect').attr('class', 'ring outer').attr('aria-hidden', 'true');
  svg.append('rect').attr('class', 'ring inner').attr('aria-hidden', 'true');
}

function build(rows, columns) {
  prepareOnce();
  shape = measureRoom(rows, columns);
  svg.attr('width', shape.width).attr('height', shape.height)
    .attr('viewBox', `0 0 ${shape.width} ${shape.height}`)
    .classed('roomy', shape.cell >= 60).attr('aria-rowcount', rows).attr('aria-colcount', columns);
  drawLabels();
  svg.select('g.cells').selectAll('g').data(d3.range(1, rows + 1)).join('g').attr('role', 'row')
    .selectAll('rect').data(row => d3.range(1, columns + 1).map(column => ({row, column, well: wellName(row, column)})))
    .join('rect').attr('role', 'gridcell').attr('tabindex', -1).attr('data-well', d => d.well)
    .attr('id', d => `well-${d.well}`).attr('rx', Math.min(3, shape.cell / 6))
    .attr('x', d => x(d.column) + GAP / 2).attr('y', d => y(d.row) + GAP / 2)
    .attr('width', shape.cell - GAP).attr('height', shape.cell - GAP);
}

// --- painting ---

function fillOf(well) {
  if (hasValue(well)) return COLOURS[colourIndex(well.value)];
  return well?.role === 'empty' ? 'none' : 'url(#hatch)';
}

function classOf(well) {
  if (hasValue(well)) return 'value';
  if (well?.role === 'empty') return 'empty';
  return well?.isSeen ? 'unknown' : 'missing';
}

// Attributes that are as they were cost a repaint all the same; to ask for them costs, too.
function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function paintCells() {
  svg.select('g.cells').selectAll('rect').each(function (d) {
    const well = wells.get(d.well);
    const now = {fill: fillOf(well), class: classOf(well), 'aria-label': wellWords(d.well)};
    for (const name in now)
      if (d.painted?.[name] !== now[name]) this.setAttribute(name, now[name]);
    d.painted = now;
  });
}

function isDark(value) {
  return IS_DARK[colourIndex(value)];
}

// In the lower left corner a triangle that points to where the value lies.
function paintBeyond(marks, seen) {
  const size = Math.max(4, Math.min(12, shape.cell * 0.4)), inset = Math.min(2, shape.cell / 10);
  const path = d => {
    const left = x(d.column) + GAP / 2 + inset, low = y(d.row) + shape.cell - GAP / 2 - inset;
    return beyond(d) > 0 ? `M${left},${low}h${size}l${-size / 2},${-size}z` : `M${left},${low - size}h${size}l${-size / 2},${size}z`;
  };
  marks.selectAll('path.beyond').data(seen.filter(beyond), d => d.well).join('path')
    .attr('class', d => isDark(d.value) ? 'beyond on-dark' : 'beyond on-light').attr('d', path);
}

// What no colour can say: values where there is room, controls, alerts, what is beyond the scale.
function paintMarks() {
  const seen = [...wells.values()].filter(well => well.row);
  const written = shape.cell >= 36 ? seen.filter(hasValue) : [];
  const roles = shape.cell >= 11 && shape.cell < 36 ? seen.filter(well => MARKS[well.role]) : [];
  const corner = Math.max(4, Math.min(9, shape.cell / 3));
  const marks = svg.select('g.marks');
  marks.selectAll('text.number').data(written, d => d.well).join('text')
    .attr('class', d => isDark(d.value) ? 'number on-dark' : 'number on-light')
    .attr('x', d => x(d.column) + shape.cell / 2).attr('y', d => y(d.row) + shape.cell / 2)
    .text(d => number(Number(d.value.toPrecision(3))));
  marks.selectAll('text.role').data(roles, d => d.well).join('text')
    .attr('class', d => hasValue(d) && isDark(d.value) ? 'role on-dark' : 'role on-light')
    .attr('x', d => x(d.column) + shape.cell / 2).attr('y', d => y(d.row) + shape.cell / 2)
    .text(d => MARKS[d.role]);
  paintBeyond(marks, seen);
  marks.selectAll('path.alert').data([...told.alerts.keys()].map(placeOf).filter(Boolean)).join('path')
    .attr('class', 'alert')
    .attr('d', d => `M${x(d.column) + shape.cell - GAP / 2},${y(d.row) + GAP / 2}v${corner}l${-corner},${-corner}z`);
}

// B03 as row and column, if the plate has it.
function placeOf(name) {
  const cell = name ? svg.node().querySelector(`[data-well="${CSS.escape(name)}"]`) : null;
  return cell ? d3.select(cell).datum() : null;
}

function paintRing() {
  const at = placeOf(chosen);
  svg.selectAll('rect.ring').attr('visibility', at ? 'visible' : 'hidden');
  if (!at) return;
  svg.selectAll('rect.ring').attr('x', x(at.column) - 0.5).attr('y', y(at.row) - 0.5)
    .attr('width', shape.cell + 1).attr('height', shape.cell + 1).attr('rx', Math.min(4, shape.cell / 6));
}

// The one well the tab key comes to.
function setTabStop() {
  const cells = svg.node().querySelectorAll('rect[role=gridcell]');
  const stop = chosen && document.getElementById(`well-${chosen}`) || cells[0];
  for (const cell of svg.node().querySelectorAll('rect[tabindex="0"]'))
    if (cell !== stop) set(cell, 'tabindex', '-1');
  for (const cell of svg.node().querySelectorAll('rect[aria-selected="true"]'))
    if (cell.dataset.well !== chosen) cell.removeAttribute('aria-selected');
  if (!stop) return;
  set(stop, 'tabindex', '0');
  if (chosen) set(stop, 'aria-selected', 'true');
}

// The scale comes first: it asks how wide it may be, which would lay out again all that was painted.
function paintAll() {
  drawScale();
  paintCells();
  paintMarks();
  paintRing();
  setTabStop();
}

// --- the colour scale, with how many wells have which value ---

function drawScale() {
  const place = d3.select('#scale');
  const width = Math.min(440, document.getElementById('map-room').clientWidth - 2), height = 46;
  place.attr('width', width).attr('height', scale ? height : 0);
  place.selectAll('*').remove();
  if (!scale || width < 60) return;
  const left = 14, right = width - 14;
  const isSingle = scale.high === scale.low, around = Math.abs(scale.low) || 1;
  const along = d3.scaleLinear().domain(isSingle ? [scale.low - around, scale.low + around] : [scale.low, scale.high])
    .range([left, right]).clamp(true);
  drawHistogram(place, along, left, right);
  const steps = 64, step = (right - left) / steps;
  place.append('g').selectAll('rect').data(d3.range(steps)).join('rect').attr('x', n => left + n * step)
    .attr('y', 20).attr('width', step + 0.6).attr('height', 9).attr('fill', n => d3.interpolateViridis(isSingle ? 0.5 : (n + 0.5) / steps));
  place.append('g').attr('class', 'axis').attr('transform', 'translate(0,29)')
    .call(d3.axisBottom(along).ticks(Math.max(2, Math.floor(width / 80))).tickValues(isSingle ? [scale.low] : null)
      .tickSize(3).tickFormat(number));
  const well = wells.get(chosen);
  if (hasValue(well))
    place.append('path').attr('class', 'here').attr('d', `M${along(well.value)},19l-4,-7h8z`);
  place.attr('aria-label', isSingle ? `Every well has ${told.measure} ${number(scale.low)} ${told.unit}`
    : `Colour scale of ${told.measure}: dark violet is ${number(scale.low)}, yellow is ${number(scale.high)} ${told.unit}`);
}

function drawHistogram(place, along, left, right) {
  const [low, high] = along.domain(), edges = d3.range(1, BINS).map(n => low + n * (high - low) / BINS);
  const bins = d3.histogram().domain([low, high]).thresholds(edges)(scale.sorted.map(v => along.invert(along(v))));
  const most = d3.max(bins, bin => bin.length) || 1;
  place.append('g').attr('class', 'histogram').selectAll('rect').data(bins).join('rect')
    .attr('x', bin => along(bin.x0)).attr('width', bin => Math.max(0.5, along(bin.x1) - along(bin.x0) - 0.5))
    .attr('y', bin => 19 - 15 * bin.length / most).attr('height', bin => 15 * bin.length / most);
}

export function scaleWords() {
  if (!scale) return '';
  const words = [];
  if (scale.below) words.push(`▼ ${plural(scale.below, 'well')} below`);
  if (scale.above) words.push(`▲ ${plural(scale.above, 'well')} above`);
  return words.length ? `Beyond the scale, in its end colours: ${words.join(', ')}.` : '';
}

// --- what others call ---

// map: the document of /map. alerts: well -> titles. Redraws what differs.
export function drawMap(map, measure, measureUnit, alerts) {
  const [rows, columns] = formatOf(map);
  takeWells(map);
  told = {measure, unit: unit(measureUnit), alerts};
  scale = scaleOf([...wells.values()].map(well => well.value), measure);
  if (!shape || shape.rows !== rows || shape.columns !== columns) build(rows, columns);
  paintAll();
}

export function setAlerts(alerts) {
  const isSame = JSON.stringify([...alerts]) === JSON.stringify([...told.alerts]);
  if (!shape || isSame) return;
  told.alerts = alerts;
  paintCells();
  paintMarks();
}

export function setChosen(name) {
  if (name === chosen) return;
  chosen = name;
  if (!shape) return;
  paintRing();
  setTabStop();
  drawScale();
}

// Numbers of the map's wells: [seen, all].
export function progress() {
  const expected = [...wells.values()].filter(well => well.role && well.role !== 'empty').length;
  const seen = [...wells.values()].filter(well => well.isSeen).length;
  return [seen, expected || (shape ? shape.rows * shape.columns : 0)];
}

export function clearMap() {
  shape = null;
  wells = new Map();
  scale = null;
  svg.selectAll('*').remove();
  svg.attr('width', 0).attr('height', 0);
  drawScale();
}

// --- people ---

const MOVES = {
  ArrowLeft: at => [at.row, at.column - 1],
  ArrowRight: at => [at.row, at.column + 1],
  ArrowUp: at => [at.row - 1, at.column],
  ArrowDown: at => [at.row + 1, at.column],
  Home: at => [at.row, 1],
  End: at => [at.row, shape.columns],
  PageUp: at => [1, at.column],
  PageDown: at => [shape.rows, at.column],
};

// A first step chooses where one stands.
export function moveWell(key, focus) {
  if (!shape || !MOVES[key]) return false;
  const at = placeOf(chosen);
  const [row, column] = at ? MOVES[key](at) : [1, 1];
  const name = wellName(Math.max(1, Math.min(shape.rows, row)), Math.max(1, Math.min(shape.columns, column)));
  onChoose(name);
  if (focus) document.getElementById(`well-${name}`)?.focus();
  return true;
}

svg.on('keydown', () => {
  const event = d3.event;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === 'Escape') onChoose('');
  else if (event.key === 'Enter' || event.key === ' ') onChoose(event.target.dataset.well ?? '');
  else if (!moveWell(event.key, true)) return;
  event.preventDefault();
});

function wellAt(event) {
  return event.target.dataset?.well;
}

svg.on('click', () => {
  const name = wellAt(d3.event);
  if (!name) return;
  onChoose(name);
  document.getElementById(`well-${name}`)?.focus({preventScroll: true});
});

svg.on('pointermove', () => {
  const name = wellAt(d3.event);
  hint.hidden = !name;
  if (!name) return;
  say(hint, wellWords(name));
  const room = document.documentElement;
  const left = Math.min(d3.event.clientX + 14, room.clientWidth - hint.offsetWidth - 8);
  const above = d3.event.clientY + 18 + hint.offsetHeight > room.clientHeight;
  hint.style.left = `${Math.max(4, left)}px`;
  hint.style.top = `${above ? d3.event.clientY - hint.offsetHeight - 10 : d3.event.clientY + 18}px`;
});
svg.on('pointerleave', () => { hint.hidden = true; });

// Another width, another size of wells.
new ResizeObserver(() => {
  if (!shape) return;
  const now = measureRoom(shape.rows, shape.columns);
  if (Math.abs(now.cell - shape.cell) < 0.05) return;
  build(shape.rows, shape.columns);
  paintAll();
}).observe(document.getElementById('map-room'));
