// What is looked at. It stands in the page's address, so that a link shows somebody else the same.

const KEYS = ['source', 'experiment', 'plate', 'measure', 'channel', 'well', 'show', 'theme'];
const LONGEST = 400; // as the server has it
const SHOWS = ['newest', 'lowest', 'highest', 'interesting', 'well'];
const THEMES = ['dark', 'light'];

const listeners = [];

function read() {
  const given = new URLSearchParams(location.search);
  const found = {};
  for (const key of KEYS) {
    const value = given.get(key);
    found[key] = value && value.length <= LONGEST ? value : '';
  }
  if (!SHOWS.includes(found.show)) found.show = 'newest';
  if (!THEMES.includes(found.theme)) found.theme = '';
  return found;
}

export const choice = read();

function write() {
  const words = new URLSearchParams();
  for (const key of KEYS)
    if (choice[key] && !(key === 'show' && choice[key] === 'newest')) words.set(key, choice[key]);
  const text = words.toString();
  history.replaceState(null, '', text ? `?${text}` : location.pathname);
}

// Changes some of it: those who listen are told which keys differ now.
export function choose(changes) {
  const differ = Object.keys(changes).filter(key => choice[key] !== (changes[key] ?? ''));
  if (differ.length === 0) return;
  for (const key of differ) choice[key] = changes[key] ?? '';
  write();
  for (const listener of listeners) listener(differ);
}

export function onChoice(listener) {
  listeners.push(listener);
}
