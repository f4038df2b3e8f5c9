// Numbers, times and places as people read them.

// Four digits that count; null, NaN and words are a dash.
export function number(value) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return String(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace('e+', 'e');
  return String(Number(value.toPrecision(4)));
}

export function count(value) {
  return typeof value === 'number' ? value.toLocaleString('en').replaceAll(',', ' ') : '–';
}

export function plural(value, one, many = one + 's') {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function seconds(value) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size < 1) return `${Math.round(value * 1000)} ms`;
  if (size < 100) return `${Number(value.toPrecision(2))} s`;
  if (size < 7200) return `${Math.round(value / 60)} min`;
  if (size < 172800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} d`;
}

export function ago(at, now) {
  const past = (now - Date.parse(at)) / 1000;
  return past < 1 ? 'now' : `${seconds(Math.max(1, Math.round(past)))} ago`;
}

export function clock(at) {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '–' : time.toLocaleTimeString('en-GB');
}

// A time of today by its clock, another with its day.
export function when(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return '–';
  const day = time.toLocaleDateString('sv');
  return day === new Date().toLocaleDateString('sv') ? clock(at) : `${day} ${clock(at)}`;
}

export function plateName(plate) {
  return plate === null || plate === undefined ? '(no plate)' : plate;
}

// Where a frame stands: B03 s1 DAPI z2 t5.
export function place(frame) {
  const parts = [frame.well ?? frame.path?.split('/').pop() ?? '?'];
  if (frame.site !== null && frame.site !== undefined) parts.push(`s${frame.site}`);
  if (frame.channel) parts.push(/^\d+$/.test(frame.channel) ? `ch${frame.channel}` : frame.channel);
  if (frame.z !== null && frame.z !== undefined) parts.push(`z${frame.z}`);
  if (frame.t !== null && frame.t !== undefined) parts.push(`t${frame.t}`);
  return parts.join(' ');
}

// Units as the catalogue has them: 1 is none, x that of the image's values.
export function unit(text) {
  return text === null || text === undefined || text === '1' ? '' : text;
}

// Sets the text of an element only where it differs, so that nothing is read out twice.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// An element with a class and a text: the only way texts of strangers come onto this page.
export function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
