// The live page: a card for each stream, with what the model says of it now and how that moved.
"use strict";

const CARDS = 24;   // streams that are shown: the first that come
const KEPT = 120;   // answers of each
const COLOURS = 6;

const at = (id) => document.getElementById(id);
const cards = new Map();
let watching = null;
let rows = 0;
let token = sessionStorage.getItem("token") || "";

const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});

// How an answer is shown: a line of text, a detail, and named numbers for the picture.
function read(answer, row) {
  if (answer === null || typeof answer !== "object") return { now: String(answer), numbers: {} };
  if (answer.error) return { wrong: true, now: answer.error, numbers: {} };
  if (Array.isArray(answer.forecast)) return readForecast(answer.forecast, row);
  const numbers = {};
  for (const [name, value] of Object.entries(answer)) {
    if (name.startsWith("probability_") && typeof value === "number") numbers[name.slice(12)] = value;
  }
  if ("label" in answer) {
    const sure = typeof answer.probability === "number" ? `${(100 * answer.probability).toFixed(0)} %` : "";
    return { now: answer.label === null ? "nobody yet" : String(answer.label), detail: sure, numbers, scale: [0, 1] };
  }
  if (Array.isArray(answer.output)) {
    answer.output.slice(0, COLOURS).forEach((value, place) => { numbers[`output ${place}`] = value; });
    return { now: "", detail: answer.output.slice(0, 4).map(short).join("  "), numbers };
  }
  if (Array.isArray(answer.words)) {
    const said = answer.words.map((word) => word.text).join(" ");
    return { now: said || answer.partial || "", detail: said ? answer.partial || "" : "", numbers, keep: Boolean(said) };
  }
  if (Array.isArray(answer.next)) return { now: answer.next.slice(0, 3).join(", "), detail: "comes next", numbers };
  if (Array.isArray(answer.ids)) return { now: `${answer.ids.length}`, detail: "tracks", numbers: { tracks: answer.ids.length } };
  return { now: "", detail: JSON.stringify(answer).slice(0, 80), numbers };
}

// The mean of the first target with its interval, behind what that target was.
function readForecast(steps, row) {
  const target = steps.length ? steps[0].target : "";
  const own = steps.filter((step) => step.target === target);
  const ends = Object.keys(own[0] || {}).filter((name) => /^q\d/.test(name));
  const ahead = own.map((step) => ({ mean: step.mean, low: step[ends[0]], high: step[ends[ends.length - 1]] }));
  const next = ahead[0];
  const interval = next && ends.length > 1 ? `next, ${short(next.low)} to ${short(next.high)}` : "next";
  const known = row && typeof row === "object" ? row[target] : undefined;
  return { now: next ? short(next.mean) : "", detail: interval, numbers: { [target]: known }, ahead, ends, target };
}

const short = (value) => (typeof value === "number" ? Number(value.toPrecision(4)).toString() : "–");

function cardOf(key) {
  if (cards.has(key)) return cards.get(key);
  if (cards.size >= CARDS) return null;
  const node = at("card").content.firstElementChild.cloneNode(true);
  node.querySelector("h2").textContent = key;
  at("streams").append(node);
  const card = { node, past: [], last: null, number: -1, changed: false, legend: "" };
  cards.set(key, card);
  return card;
}

function take(events) {
  for (const event of events) {
    rows += 1;
    const card = cardOf(event.key);
    if (card === null) continue;
    if (event.number <= card.number) card.past = [];  // another stream of that name
    const told = read(event.answer, event.row);
    card.number = event.number;
    if (!told.keep && card.last && card.last.keep && !told.now) told.now = card.last.now;
    card.last = told;
    card.past.push(told.numbers);
    if (card.past.length > KEPT) card.past.shift();
    card.changed = true;
  }
  at("nothing").hidden = cards.size > 0;
}

function show() {
  for (const card of cards.values()) {
    if (!card.changed) continue;
    card.changed = false;
    const { node, last } = card;
    node.classList.toggle("wrong", Boolean(last.wrong));
    node.querySelector(".now").textContent = last.now;
    node.querySelector(".detail").textContent = last.detail || "";
    const names = [...new Set(card.past.flatMap((numbers) => Object.keys(numbers)))].slice(0, COLOURS);
    draw(node.querySelector("canvas"), card, names);
    legend(card, names);
  }
  requestAnimationFrame(show);
}

function legend(card, names) {
  const labels = card.last.ahead
    ? [card.last.target, "forecast", ...(card.last.ends.length > 1 ? [`${card.last.ends[0]} to ${card.last.ends.at(-1)}`] : [])]
    : names;
  if (labels.join("\n") === card.legend) return;
  card.legend = labels.join("\n");
  card.node.querySelector(".legend").replaceChildren(...labels.map((name, place) => {
    const label = document.createElement("span");
    const swatch = document.createElement("i");
    const colour = card.last.ahead ? Math.min(place, 1) : place;
    swatch.style.background = `var(--c${colour})`;
    if (card.last.ahead && place === 2) swatch.style.opacity = "0.3";
    label.append(swatch, name);
    return label;
  }));
}

function draw(canvas, card, names) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas);
  const colour = (place) => style.getPropertyValue(`--c${place % COLOURS}`);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const ahead = card.last.ahead || [];
  const past = ahead.length ? card.past.slice(-Math.max(40, KEPT - ahead.length)) : card.past;
  const numbers = past.flatMap((one) => names.map((name) => one[name]))
    .concat(ahead.flatMap((step) => [step.mean, step.low, step.high])).filter(Number.isFinite);
  if (!numbers.length) return;
  let [low, high] = card.last.scale || [Math.min(...numbers), Math.max(...numbers)];
  if (high === low) [low, high] = [low - 1, high + 1];
  const margin = { left: 44, right: 4, top: 6, bottom: 6 };
  const count = Math.max(past.length + ahead.length, ahead.length ? 2 : KEPT) - 1;
  const x = (place) => margin.left + (place / count) * (width - margin.left - margin.right);
  const y = (value) => margin.top + ((high - value) / (high - low)) * (height - margin.top - margin.bottom);
  axis(pen, style, [low, (low + high) / 2, high], y, margin.left, width - margin.right);
  const start = ahead.length ? 0 : KEPT - past.length;  // the newest is at the right
  names.forEach((name, place) => {
    line(pen, colour(place), past.map((one, number) => [x(start + number), y(one[name]), one[name]]));
  });
  if (ahead.length) {
    const steps = ahead.map((step, number) => ({ ...step, x: x(past.length + number) }));
    pen.globalAlpha = 0.25;
    pen.fillStyle = colour(1);
    pen.beginPath();
    steps.forEach((step) => pen.lineTo(step.x, y(step.high)));
    [...steps].reverse().forEach((step) => pen.lineTo(step.x, y(step.low)));
    pen.fill();
    pen.globalAlpha = 1;
    const last = past.length ? past[past.length - 1][names[0]] : undefined;  // the forecast goes on from there
    line(pen, colour(1), [[x(past.length - 1), y(last), last], ...steps.map((step) => [step.x, y(step.mean), step.mean])]);
  }
  canvas.setAttribute("aria-label", `${card.last.now} ${card.last.detail || ""}`);
}

function axis(pen, style, values, y, left, right) {
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillStyle = style.getPropertyValue("--faint");
  pen.strokeStyle = style.getPropertyValue("--edge");
  pen.lineWidth = 1;
  for (const value of values) {
    pen.fillText(short(value), left - 6, y(value));
    pen.beginPath();
    pen.moveTo(left, Math.round(y(value)) + 0.5);
    pen.lineTo(right, Math.round(y(value)) + 0.5);
    pen.stroke();
  }
}

function line(pen, colour, points) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.beginPath();
  let drawn = false;
  for (const [x, y, value] of points) {
    if (!Number.isFinite(value)) { drawn = false; continue; }
    if (drawn) pen.lineTo(x, y); else pen.moveTo(x, y);
    drawn = true;
  }
  pen.stroke();
}

// Events by `fetch`, for an EventSource cannot send the token.
async function watch() {
  if (watching) watching.abort();
  const mine = watching = new AbortController();
  cards.clear();
  at("streams").replaceChildren();
  at("nothing").hidden = false;
  const key = at("key").value.trim();
  const place = `v1/models/${encodeURIComponent(at("model").value)}/watch${key ? `?key=${encodeURIComponent(key)}` : ""}`;
  while (!mine.signal.aborted) {
    try {
      const answer = await fetch(place, { headers: headers(), signal: mine.signal });
      if (answer.status === 401) { ask(); return; }
      if (!answer.ok) throw new Error(answer.statusText);
      at("status").dataset.up = "yes";
      await events(answer.body.getReader());
    } catch (error) {
      if (mine.signal.aborted) return;
    }
    delete at("status").dataset.up;
    await new Promise((again) => setTimeout(again, 1000));
  }
}

async function events(reader) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) take(JSON.parse(part.slice(6)));
  }
}

function ask() {
  at("entry").hidden = false;
  at("nothing").hidden = true;
  at("status").textContent = "a token is needed";
  at("token").focus();
}

async function begin() {
  let models;
  try {
    const answer = await fetch("v1/models", { headers: headers() });
    if (answer.status === 401) { ask(); return; }
    models = await answer.json();
  } catch (error) {
    at("status").textContent = "the server does not answer; trying again";
    setTimeout(begin, 1000);
    return;
  }
  at("entry").hidden = true;
  at("model").replaceChildren(...models.filter((model) => model.streams).map((model) => new Option(`${model.name} (${model.task})`, model.name)));
  if (at("model").options.length) watch(); else at("status").textContent = "no model here has streams";
}

at("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  sessionStorage.setItem("token", token);
  begin();
});
at("choice").addEventListener("submit", (event) => event.preventDefault());
at("model").addEventListener("change", watch);
at("key").addEventListener("change", watch);
window.addEventListener("resize", () => { for (const card of cards.values()) card.changed = Boolean(card.last); });
setInterval(() => {
  if (at("status").dataset.up) at("status").textContent = `${cards.size} streams shown, ${rows} answers a second seen`;
  else if (at("entry").hidden) at("status").textContent = "the server does not answer; trying again";
  rows = 0;
}, 1000);
begin();
requestAnimationFrame(show);
