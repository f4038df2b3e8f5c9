// Frames as small pictures, and one frame with all that is known of it.

import {number, place, seconds, unit, when, make, say} from './words.js';

const list = document.getElementById('frames');
const dialog = document.getElementById('frame');

// --- many ---

function noPicture(frame) {
  return make('span', 'no-picture', frame.status === 'ok' ? 'no picture' : frame.status);
}

function picture(frame) {
  if (!frame.has_picture) return noPicture(frame);
  const image = make('img', 'picture');
  image.loading = 'lazy';
  image.decoding = 'async';
  image.alt = '';
  image.src = `thumbnail/${encodeURIComponent(frame.id)}`;
  image.addEventListener('error', () => image.replaceWith(noPicture(frame)), {once: true});
  return image;
}

// measure: the chosen one, '' if a frame has no number of it but its priority.
function shown(frame, measure) {
  const words = [`${frame.plate ?? ''} ${place(frame)}`.trim(), when(frame.at)];
  if (measure && typeof frame.value === 'number') words.push(`${measure} ${number(frame.value)}`);
  else if (measure && frame.status === 'ok') words.push(`no value of ${measure}`);
  if (typeof frame.score === 'number') words.push(`priority ${number(frame.score)} (${frame.tier})`);
  if (frame.reason) words.push(`${frame.status}: ${frame.reason}`);
  if (typeof frame.low === 'number') words.push(`black ${number(frame.low)}, white ${number(frame.high)}`);
  return words.join('\n');
}

function valueWords(frame, show, measure) {
  if (frame.status !== 'ok') return frame.status;
  if (show === 'interesting') return `${number(frame.score ?? frame.value)} ${frame.tier ?? ''}`.trim();
  if (measure === '' && typeof frame.score === 'number') return `priority ${number(frame.score)}`;
  return number(frame.value);
}

function makeFrame(frame) {
  const button = make('button', 'frame');
  button.type = 'button';
  button.append(picture(frame), make('span', 'place', place(frame)), make('span', 'value'));
  button.addEventListener('click', () => openFrame(frame.id));
  return button;
}

function fillFrame(button, frame, show, measure) {
  const words = shown(frame, measure);
  if (button.title !== words) button.title = words;
  button.classList.toggle('failed', frame.status !== 'ok');
  say(button.querySelector('.value'), valueWords(frame, show, measure));
}

// Frames that stay keep their elements: nothing flickers, and the focus stays where it is.
export function drawFrames(frames, show, measure) {
  const before = new Map([...list.querySelectorAll('button.frame')].map(button => [button.dataset.id, button]));
  const wanted = frames.map(frame => {
    const button = before.get(frame.id) ?? makeFrame(frame);
    button.dataset.id = frame.id;
    fillFrame(button, frame, show, measure);
    return button;
  });
  const same = wanted.length === list.children.length && wanted.every((button, i) => button === list.children[i]);
  if (same) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  list.replaceChildren(...wanted);
  if (focused && wanted.includes(focused)) focused.focus({preventScroll: true});
}

export function noteFrames(words) {
  list.replaceChildren(make('p', 'note', words));
}

// The arrow keys go along the pictures.
list.addEventListener('keydown', event => {
  const steps = {ArrowRight: 1, ArrowLeft: -1};
  const buttons = [...list.querySelectorAll('button.frame')];
  const at = buttons.indexOf(document.activeElement);
  if (!(event.key in steps) || at < 0) return;
  buttons[at + steps[event.key]]?.focus();
  event.preventDefault();
});

// --- numbers, for a well and for a frame ---

let catalogue = new Map();

export function setCatalogue(measures) {
  catalogue = new Map(measures.map(measure => [measure.name, measure]));
}

function numberRow([name, value]) {
  const known = catalogue.get(name);
  const row = make('tr');
  const head = make('th', '', name);
  head.scope = 'row';
  row.title = known ? [known.detects, known.formula].filter(Boolean).join('\n') : '';
  row.append(head, make('td', 'number', number(value)), make('td', 'unit', unit(known?.unit)));
  return row;
}

function matches(name, filter) {
  const known = catalogue.get(name);
  return [name, known?.measure, known?.detects].some(text => text?.toLowerCase().includes(filter));
}

// numbers: {name: value}. The chosen measure stands first.
export function drawNumbers(table, numbers, filter, first) {
  const words = filter.trim().toLowerCase();
  const rows = Object.entries(numbers ?? {}).filter(([name]) => words === '' || matches(name, words));
  rows.sort(([one], [other]) => (other === first) - (one === first) || (one < other ? -1 : 1));
  const made = rows.map(numberRow);
  made.forEach((row, i) => row.classList.toggle('chosen', rows[i][0] === first));
  if (made.length === 0) {
    made.push(make('tr'));
    made[0].append(make('td', 'quiet', 'no number of that name'));
  }
  table.tBodies[0].replaceChildren(...made);
}

// --- one ---

const filter = document.getElementById('frame-filter');
let current = null; // the document of /frame
let asked = ''; // its id
let firstNumber = () => '';

export function onFirstNumber(tell) {
  firstNumber = tell;
}

function frameWords({frame, picture: range, score}) {
  const words = [frame.path + (frame.page > 0 ? `, page ${frame.page}` : ''), `acquired ${when(frame.at)}`];
  if (frame.width) words.push(`${frame.width} × ${frame.height} pixels, ${frame.bits} bits`);
  if (range && typeof range.low === 'number')
    words.push(`picture: black is ${number(range.low)}, white is ${number(range.high)}`);
  if (score) words.push(`priority ${number(score.score)}, tier ${score.tier} by ${score.model}`);
  if (frame.status !== 'ok') words.push(`${frame.status}: ${frame.reason ?? ''}`);
  return words.join('\n');
}

function drawWay(way) {
  document.getElementById('frame-steps').replaceChildren(...way.map(step => {
    const row = make('li');
    const after = typeof step.after_s === 'number' ? `+${seconds(step.after_s)}` : '';
    row.append(make('b', '', step.step), make('span', 'number quiet', ` ${after} `), make('span', '', step.detail ?? ''));
    return row;
  }));
}

function drawNumbersOfFrame() {
  drawNumbers(document.getElementById('frame-numbers'), current?.numbers, filter.value, firstNumber());
}

function drawFrame(found) {
  current = found;
  const {frame} = found;
  say(document.getElementById('frame-title'), `${frame.plate ?? ''} ${place(frame)}`.trim());
  say(document.getElementById('frame-words'), frameWords(found));
  const shownPicture = picture({...frame, has_picture: found.picture !== null});
  shownPicture.alt = `Picture of ${place(frame)}`;
  document.getElementById('frame-picture').replaceChildren(shownPicture);
  drawWay(found.way);
  drawNumbersOfFrame();
}

function noteFrame(words) {
  current = null;
  say(document.getElementById('frame-title'), 'Frame');
  say(document.getElementById('frame-words'), words);
  document.getElementById('frame-picture').replaceChildren();
  drawWay([]);
  drawNumbersOfFrame();
}

export async function openFrame(id) {
  asked = id;
  noteFrame('asking …');
  if (!dialog.open) dialog.showModal();
  try {
    const answer = await fetch(`frame?id=${encodeURIComponent(id)}`);
    const found = await answer.json();
    if (asked !== id) return;
    if (found.error || !found.frame) noteFrame(found.error ?? 'There is no such frame (any more).');
    else drawFrame(found);
  } catch {
    noteFrame('The page\'s server does not answer.');
  }
}

document.getElementById('frame-close').addEventListener('click', () => dialog.close());
dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
filter.addEventListener('input', drawNumbersOfFrame);
