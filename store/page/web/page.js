// The page: what is chosen, what is asked for, and what is told once a second.
//
// /state and the event "state" say that something changed; maps and frames are asked for then, by
// everybody at the same address, so that the server asks the database once for all who look.

import {choice, choose, onChoice} from './choice.js';
import {clock, count, make, plateName, plural, say, unit} from './words.js';
import {clearMap, drawMap, moveWell, onWell, progress, scaleWords, setAlerts, setChosen, wellOf, wellWords} from './map.js';
import {drawFrames, drawNumbers, noteFrames, onFirstNumber, setCatalogue} from './frames.js';
import {drawFlow, drawTold, onGoTo, plateKey} from './flow.js';

const QUIET_MS = 6000; // without news, the page says so
const RETRY_MS = 2000;
const LISTS_MS = 4000; // between two looks for the worst frames
const PREFERRED = ['focus', 'focus_score', 'tenengrad', 'mean'];
const OWN = [{name: 'score', unit: '1', measure: 'of the plate', formula: 'The highest of the well\'s frames, by the default model.', detects: 'what is interesting'},
  {name: 'frames', unit: '1', measure: 'of the plate', formula: 'Pictures so far.', detects: 'how far the plate is'}];

const $ = id => document.getElementById(id);
let state = null; // the last that was told
let measures = []; // of the catalogue
let isLearned = false; // whether it was asked for, so that no other measure is shown first
let failure = ''; // of the stream
let heardAt = 0; // performance.now()
let current = null; // the plate that is shown: a row of told.plates, or as the address has it

// --- asking ---

async function ask(url) {
  const answer = await fetch(url);
  return answer.json();
}

function url(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return `${path}?${new URLSearchParams(given)}`;
}

// One question at a time; of those that come meanwhile the last. An answer from before the news
// that led to it is asked for again with the next news.
function asker(take) {
  let wanted = null, busy = false;
  const self = {
    address: '', since: 0, isStale: false, askedAt: -Infinity,
    want(address, since) {
      Object.assign(self, {address, since, isStale: false});
      wanted = address;
      if (!busy) run();
    },
  };
  async function run() {
    busy = true;
    while (wanted !== null) {
      const address = wanted;
      wanted = null;
      self.askedAt = performance.now();
      let found;
      try {
        found = await ask(address);
      } catch {
        found = {error: 'The page\'s server does not answer.'};
      }
      if (address !== self.address) continue;
      self.isStale = Boolean(found?.error) || Date.parse(found?.at) < self.since;
      take(found);
    }
    busy = false;
  }
  return self;
}

const mapAsker = asker(takeMap);
const framesAsker = asker(takeFrames);
const wellAsker = asker(takeWell);

// --- what is chosen ---

function told() {
  return state?.told ?? null;
}

// Frames without a plate make no map: the newest that has a name goes before them.
function newestPlate(plates) {
  return plates.find(plate => plate.plate !== null) ?? plates[0] ?? null;
}

// The plate of the address; without one, that which is being imaged.
function currentPlate() {
  const plates = told()?.plates ?? [];
  if (!choice.plate) return newestPlate(plates);
  const isChosen = plate => plate.plate === choice.plate && (!choice.source || plate.source === choice.source) &&
    (!choice.experiment || plate.experiment === choice.experiment);
  return plates.find(isChosen) ??
    {plate: choice.plate, source: choice.source || null, experiment: choice.experiment || null, channels: [], isUnknown: true};
}

function currentMeasure() {
  if (choice.measure) return choice.measure;
  return PREFERRED.find(name => measures.some(measure => measure.name === name)) ?? 'frames';
}

function currentChannel() {
  const channels = current?.channels ?? [];
  return choice.channel || (channels[0] ?? '');
}

function isOwn(name) {
  return OWN.some(measure => measure.name === name);
}

function measureOf(name) {
  return OWN.find(measure => measure.name === name) ?? measures.find(measure => measure.name === name);
}

// Options by what they are; what stands in the address and is not known stands there too.
function fillSelect(select, groups, value, unknownLabel) {
  const key = JSON.stringify([groups, value]);
  if (select.filledWith === key) return;
  select.filledWith = key;
  const option = ([optionValue, label]) => {
    const element = make('option', '', label);
    element.value = optionValue;
    return element;
  };
  const isKnown = groups.some(([, options]) => options.some(([optionValue]) => optionValue === value));
  const elements = groups.flatMap(([title, options]) => {
    if (!title) return options.map(option);
    const group = make('optgroup');
    group.label = title;
    group.append(...options.map(option));
    return [group];
  });
  if (!isKnown) elements.unshift(option([value, unknownLabel]));
  select.replaceChildren(...elements);
  select.value = value;
}

function plateLabel(plate, plates) {
  const twins = plates.filter(other => other.plate === plate.plate);
  const more = twins.length > 1 ? ` (${[plate.source, plate.experiment].filter(Boolean).join(', ')})` : '';
  return plateName(plate.plate) + more;
}

function fillChoices() {
  const plates = told()?.plates ?? [];
  const newest = plates.length ? `newest: ${plateName(newestPlate(plates).plate)}` : 'newest';
  const options = plates.filter(plate => plate.plate !== null).map(plate => [plateKey(plate), plateLabel(plate, plates)]);
  fillSelect($('plate'), [['', [['', newest]]], ['Plates', options]], choice.plate ? plateKey(current) : '', choice.plate);
  const names = new Map();
  for (const measure of [...OWN, ...measures])
    names.set(measure.measure, [...(names.get(measure.measure) ?? []), [measure.name, measure.name]]);
  fillSelect($('measure'), [...names], currentMeasure(), currentMeasure());
  const channels = (current?.channels ?? []).map(channel => [channel, channel]);
  fillSelect($('channel'), [['', channels.length ? channels : [['', 'all']]]], currentChannel(), currentChannel());
}

$('plate').addEventListener('change', event => {
  const [source, experiment, plate] = event.target.value ? JSON.parse(event.target.value) : ['', '', ''];
  choose({source, experiment, plate, channel: '', well: ''});
});
$('measure').addEventListener('change', event => choose({measure: event.target.value}));
$('channel').addEventListener('change', event => choose({channel: event.target.value}));
$('choice').addEventListener('submit', event => event.preventDefault());

// --- the map ---

function plateParameters() {
  return {plate: current?.plate, source: current?.source, channel: currentChannel()};
}

// Of a plate of which a row was stored, the numbers may have changed.
function stampOf(plate) {
  return plate ? `${plate.ok} ${plate.failed} ${plate.last_acquired_at}` : '';
}

let mapStamp = '';

function wantMap() {
  if (!isLearned) return;
  if (!current || current.plate === null) {
    noteMap(told() === null ? 'Waiting for the database …'
      : current ? 'No frame so far has a plate: Frames shows them all the same.' : 'No plate was imaged yet.');
    return;
  }
  const address = url('map', {...plateParameters(), experiment: current.experiment, measure: currentMeasure()});
  const stamp = stampOf(current);
  const isNew = address !== mapAsker.address;
  if (!isNew && stamp === mapStamp && !mapAsker.isStale) return;
  if (isNew) say($('map-words'), 'asking …');
  mapStamp = stamp;
  mapAsker.want(address, Date.parse(told()?.at ?? 0));
}

function noteMap(words) {
  clearMap();
  $('map-empty').hidden = false;
  say($('map-empty'), words);
  say($('map-title'), 'Plate map');
  say($('map-words'), '');
  say($('measure-words'), '');
}

// well -> titles of the alerts that name it.
function alertsByWell() {
  const byWell = new Map();
  for (const alert of told()?.alerts ?? []) {
    if (alert.plate !== current?.plate || current?.source && alert.source !== current.source) continue;
    for (const well of alert.wells ?? []) byWell.set(well, [...(byWell.get(well) ?? []), alert.rule]);
  }
  return byWell;
}

// What an address may name and nobody has imaged; '': nothing.
function missingWords(map) {
  if (!map.is_known) return `There is no plate called ${current.plate}${choice.source ? ` of source ${choice.source}` : ''}.`;
  const isMissing = choice.channel && map.channels.length && !map.channels.includes(choice.channel);
  return isMissing ? `${current.plate} has no channel ${choice.channel}; it has: ${map.channels.join(', ')}.` : '';
}

function takeMap(map) {
  const begun = performance.now();
  const trouble = map.error ?? missingWords(map);
  if (trouble) {
    noteMap(trouble);
    return;
  }
  const name = currentMeasure(), known = measureOf(name);
  $('map-empty').hidden = true;
  drawMap(map, name, known?.unit, alertsByWell());
  const [seen, all] = progress();
  say($('map-title'), `${plateName(current.plate)} · ${name}${currentChannel() ? ` · channel ${currentChannel()}` : ''}`);
  say($('map-words'), `${count(seen)} of ${plural(all, 'well')}`);
  $('measure-words').title = known?.formula ?? '';
  say($('measure-words'), [scaleWords(), known?.detects && `Tells of ${known.detects}.`,
    unit(known?.unit) && `Unit ${known.unit}.`, known?.formula].filter(Boolean).join(' '));
  drawWell();
  performance.measure('map', {start: begun});
  if (performance.getEntriesByName('first-map').length === 0) performance.mark('first-map');
}

// --- the well ---

let wellNumbers = null, wellStamp = '';

// Who holds an arrow key down passes by many wells: he sees each at once, and only the last becomes
// the choice, about which the server is asked.
const PASSING_MS = 120;
let meant = choice.well, passing = 0;

function drawWell() {
  $('well-more').hidden = meant === '';
  say($('well-name'), meant || 'No well chosen');
  say($('well-words'), meant ? wellWords(meant).replace(`${meant}, `, '')
    : 'Click a well, or go over them with the arrow keys.');
  setChosen(meant);
  wantWell();
}

onWell(name => {
  meant = name;
  clearTimeout(passing);
  passing = setTimeout(() => choose(name ? {well: name, show: 'well'}
    : {well: '', show: choice.show === 'well' ? 'newest' : choice.show}), PASSING_MS);
  drawWell();
});

onChoice(keys => {
  if (!keys.includes('well')) return;
  clearTimeout(passing);
  meant = choice.well;
});

function wantWell() {
  if (!choice.well || !current || current.plate === null) return;
  const well = wellOf(choice.well);
  const address = url('well', {...plateParameters(), well: choice.well});
  const stamp = `${well?.frames} ${well?.value}`;
  const isNew = address !== wellAsker.address;
  if (!isNew && stamp === wellStamp && !wellAsker.isStale) return;
  wellStamp = stamp;
  if (isNew) {
    wellNumbers = null;
    drawWellNumbers();
  }
  wellAsker.want(address, 0);
}

function drawWellNumbers() {
  drawNumbers($('well-numbers'), wellNumbers, $('well-filter').value, currentMeasure());
}

function takeWell(found) {
  wellNumbers = found?.numbers ?? null;
  drawWellNumbers();
}

$('well-filter').addEventListener('input', drawWellNumbers);

for (const button of document.querySelectorAll('#steps button'))
  button.addEventListener('click', () => moveWell(button.dataset.move, false));

// --- frames ---

const NOTHING = {
  newest: 'No frame yet.', lowest: 'No frame has a value of this measure.', highest: 'No frame has a value of this measure.',
  interesting: 'No frame has a priority.', well: 'No frame of this well and channel.',
};
let framesStamp = '';

function wantFrames() {
  if (!isLearned) return;
  const show = choice.show;
  const parameters = {show, plate: current?.plate, source: current?.source, measure: currentMeasure()};
  if (show === 'well' && !choice.well) {
    framesAsker.address = '';
    noteFrames('Choose a well on the map.');
    return;
  }
  if (show === 'well') parameters.well = choice.well;
  if (show !== 'newest') parameters.channel = currentChannel();
  // A frame has no number of these two, but a priority.
  if (isOwn(parameters.measure)) parameters.measure = show === 'newest' || show === 'well' ? '' : 'score';
  const address = url('frames', parameters), stamp = stampOf(current);
  const isNew = address !== framesAsker.address;
  const isSoon = show !== 'newest' && performance.now() - framesAsker.askedAt < LISTS_MS;
  if (!isNew && (isSoon || stamp === framesStamp && !framesAsker.isStale)) return;
  framesStamp = stamp;
  framesAsker.want(address, Date.parse(told()?.at ?? 0));
}

function takeFrames(found) {
  const begun = performance.now();
  if (found.error) noteFrames(found.error);
  else if (found.frames.length === 0) noteFrames(NOTHING[choice.show]);
  else drawFrames(found.frames, choice.show, isOwn(currentMeasure()) ? '' : currentMeasure());
  performance.measure('frames', {start: begun});
}

const tabs = [...document.querySelectorAll('#tabs [role=tab]')];

function drawTabs() {
  const order = isOwn(currentMeasure()) ? 'priority' : currentMeasure();
  const words = {lowest: `Lowest ${order}`, highest: `Highest ${order}`, well: choice.well ? `Well ${choice.well}` : 'Of the well'};
  for (const tab of tabs) {
    const isChosen = tab.dataset.show === choice.show;
    if (words[tab.dataset.show]) say(tab, words[tab.dataset.show]);
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
}

for (const tab of tabs) tab.addEventListener('click', () => choose({show: tab.dataset.show}));
$('tabs').addEventListener('keydown', event => {
  const steps = {ArrowRight: 1, ArrowLeft: tabs.length - 1};
  if (!(event.key in steps)) return;
  const next = tabs[(tabs.findIndex(tab => tab.dataset.show === choice.show) + steps[event.key]) % tabs.length];
  choose({show: next.dataset.show});
  next.focus();
  event.preventDefault();
});

// --- all of it ---

// Whatever changed: what is known is drawn, what is not is asked for.
function refresh() {
  current = currentPlate();
  fillChoices();
  drawTabs();
  wantMap();
  drawWell();
  wantFrames();
  const plate = current ? `${plateName(current.plate)} ${currentMeasure()}` : 'no plate';
  const alerts = told()?.alerts_open ? `(${told().alerts_open}) ` : '';
  say(document.querySelector('title'), `${alerts}${plate} · scopestream`);
}

onChoice(keys => {
  if (keys.includes('theme')) drawTheme();
  if (keys.some(key => key !== 'theme')) refresh();
});
onFirstNumber(currentMeasure);
onGoTo(({plate, source, experiment, well}) => {
  choose({plate, source, experiment, well, channel: '', show: well ? 'well' : choice.show === 'well' ? 'newest' : choice.show});
  $('map-card').scrollIntoView(); // on a narrow screen it stands far above what was touched
});

// --- trouble, and what is said aloud ---

function announce(words) {
  $('said').textContent = words;
}

let knownAlerts = null;

function announceAlerts() {
  const alerts = told()?.alerts;
  if (!alerts) return;
  const fresh = knownAlerts ? alerts.filter(alert => !knownAlerts.has(alert.alert_id)) : [];
  knownAlerts = new Set(alerts.map(alert => alert.alert_id));
  if (fresh.length) announce(`New alert: ${fresh.map(alert => alert.title).join('; ')}`);
}

function troubles() {
  const words = [];
  if (failure) words.push(failure);
  else if (state?.database_away)
    words.push(`PostgreSQL is away (${state.database_away.replace(/^PostgreSQL: /, '')}). What stands here was known before; the page goes on by itself.`);
  if (!failure && state?.nats_away) words.push(`NATS is away (${state.nats_away}): what waits on its way to the database is not known.`);
  return words.join(' ');
}

function drawTrouble() {
  const words = troubles();
  say($('trouble'), words);
  $('trouble').hidden = words === '';
  const isQuiet = failure !== '' || performance.now() - heardAt > QUIET_MS;
  $('live').className = state === null ? 'waits' : isQuiet ? 'away' : state.database_away || state.nats_away ? 'troubled' : 'well';
  say($('live-words'), state === null ? 'connecting' : isQuiet ? `no news since ${clock(state.at)}` : `live, ${clock(state.at)}`);
}

// --- being told ---

let lastTold = null;

function takeState(found) {
  const begun = performance.now();
  heardAt = begun;
  failure = '';
  state = found;
  if (state.told === null) state.told = lastTold;
  lastTold = state.told;
  const now = Date.parse(state.at);
  drawFlow(state, now);
  refresh();
  if (told()) {
    drawTold(told(), current, now);
    setAlerts(alertsByWell());
    announceAlerts();
  }
  drawTrouble();
  performance.measure('update', {start: begun});
  trimTimeline();
}

// A page that is left open for weeks keeps no diary.
function trimTimeline() {
  if (performance.getEntriesByName('update').length < 500) return;
  for (const name of ['update', 'map', 'frames']) performance.clearMeasures(name);
}

let stream = null;

function listen() {
  stream?.close();
  stream = new EventSource('events');
  stream.addEventListener('state', event => takeState(JSON.parse(event.data)));
  stream.addEventListener('error', () => {
    failure = 'The page\'s server does not answer; trying again.';
    drawTrouble();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  });
}

// Nothing is asked for while nobody looks.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (stream === null) {
    listen();
  }
});

async function learnMeasures() {
  let wait = 3000;
  try {
    const found = await ask('catalogue');
    if (!found.measures) throw new Error(found.error);
    measures = found.measures;
    setCatalogue(measures);
    if (measures.length) wait = 60000;
  } catch {
    // The trouble is told by the state.
  }
  isLearned = true;
  setTimeout(learnMeasures, wait);
  if (state) refresh();
}

// --- dark and light ---

const THEMES = {'': 'automatic', dark: 'dark', light: 'light'};

function drawTheme() {
  document.documentElement.dataset.theme = choice.theme;
  say($('theme'), `Theme: ${THEMES[choice.theme]}`);
}

$('theme').addEventListener('click', () => {
  const names = Object.keys(THEMES);
  choose({theme: names[(names.indexOf(choice.theme) + 1) % names.length]});
});

// --- start ---

drawTheme();
drawTabs();
setInterval(drawTrouble, 1000);
await Promise.allSettled([learnMeasures(), ask('state').then(takeState)]);
if (!document.hidden) listen();
