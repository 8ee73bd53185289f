"use strict";

const { topics, outliers } = JSON.parse(document.getElementById("data").textContent);
const [map, land, links, circles, labels, card, search, list] =
  ["map", "land", "links", "circles", "labels", "card", "search", "list"].map((id) => document.getElementById(id));
const total = topics.reduce((sum, topic) => sum + topic.size, 0);
const biggest = Math.max(...topics.map((topic) => topic.r));
const spaced = (text) => text.replace(/_/g, " ");
const plain = (text) => spaced(text).toLowerCase();
const number = new Intl.NumberFormat("en");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const narrow = matchMedia("(max-width: 720px)");

// Labels come from texts that strangers wrote: they enter the page as text, never as markup.
function make(parent, name, attributes = {}, text = "") {
  const svg = parent.namespaceURI.endsWith("svg");
  const element = svg ? document.createElementNS(parent.namespaceURI, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== "") element.textContent = text;
  return parent.appendChild(element);
}

// The drawing. `view` is where the map's middle is on the screen, and how big a unit of the map is there.

const view = { x: 0, y: 0, scale: 1 };
let whole = { ...view };
let active = null; // the topic whose card is shown
let kept = false; // whether it stays when the pointer leaves
let found = null; // the topics that the search finds; null: no search
let turned = null; // whether the window is tall: then it shows the map with its axes exchanged

const ink = document.createElement("canvas").getContext("2d");
const FONT = getComputedStyle(document.documentElement).fontFamily;

for (const region of new Set(topics.map((topic) => topic.region))) {
  const group = make(land, "g", { "data-region": region });
  for (const topic of topics.filter((one) => one.region === region)) topic.ground = make(group, "circle");
}
for (const topic of topics) {
  topic.circle = make(circles, "circle", { "data-region": topic.region });
  topic.circle.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !kept && show(topic));
  topic.circle.addEventListener("pointerleave", () => !kept && show(null));
  topic.name = plain(topic.label);
  topic.about = plain([topic.label, ...topic.groups, ...topic.words].join("\n"));
  writeLabel(topic);
}

function writeLabel(topic) {
  const size = (narrow.matches ? 10 : 11) + 5 * Math.sqrt(topic.r / biggest);
  const weight = topic.r > 0.45 * biggest ? 600 : 450;
  ink.font = `${weight} ${size}px ${FONT}`;
  const lines = wrapped(topic.label);
  topic.text = make(labels, "text", { "font-size": size, "font-weight": weight, class: "off" });
  for (const line of lines) make(topic.text, "tspan", { x: 0 }, line);
  [...topic.text.children].forEach((line, row) =>
    line.setAttribute("y", ((row - (lines.length - 1) / 2) * size * 1.15).toFixed(1)));
  topic.wide = Math.max(...lines.map((line) => ink.measureText(line).width)) + 4;
  topic.high = lines.length * size * 1.15 + 2;
}

// Up to three lines of some 16 characters.
function wrapped(label) {
  const lines = [""];
  for (const word of spaced(label).trim().split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length > 15) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  const kept = lines.slice(0, 3).map((line) => (line.length > 22 ? `${line.slice(0, 21)}…` : line));
  if (lines.length > 3) kept[2] += "…";
  return kept;
}

const zoomed = () => view.scale / whole.scale;
const placed = (topic) => ({
  x: view.x + view.scale * topic.across,
  y: view.y + view.scale * topic.down,
  r: Math.max(topic.r * whole.scale * zoomed() ** 0.75, 3),
});

function draw() {
  const spots = topics.map(placed);
  topics.forEach((topic, index) => {
    const { x, y, r } = spots[index];
    put(topic.circle, { cx: x, cy: y, r });
    put(topic.ground, { cx: x, cy: y, r: (topic.r + 80) * view.scale });
    topic.circle.classList.toggle("active", topic === active);
    const dim = (found && !found.has(topic)) ||
      (active && topic !== active && !active.near.some(([near]) => topics[near] === topic));
    topic.circle.classList.toggle("dim", dim);
    topic.text.classList.toggle("dim", dim);
  });
  placeLabels(spots);
  links.replaceChildren();
  if (!active) return;
  const from = placed(active);
  for (const [near, similarity] of active.near) {
    const { x, y } = spots[near];
    const width = 0.5 + 2.5 * Math.max(similarity, 0);
    make(links, "line", { x1: from.x, y1: from.y, x2: x, y2: y, "stroke-width": width, opacity: 0.45 });
  }
  placeCard(from);
}

function put(element, numbers) {
  for (const [key, value] of Object.entries(numbers)) element.setAttribute(key, value.toFixed(1));
}

// The bigger topics first: each label takes the first place where it covers no other label and little else.
function placeLabels(spots) {
  const taken = [];
  const order = topics.map((_, index) => index);
  if (found) order.sort((a, b) => found.has(topics[b]) - found.has(topics[a]) || a - b);
  for (const index of order) {
    const topic = topics[index];
    const box = choices(topic, spots[index]).find((choice) => isFree(choice, taken, spots, index));
    topic.text.classList.toggle("off", !box);
    if (!box) continue;
    taken.push(box);
    topic.text.classList.toggle("inside", Boolean(box.inside));
    topic.text.setAttribute("transform", `translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})`);
  }
}

function choices({ wide, high }, { x, y, r }) {
  const most = map.clientWidth - wide / 2 - 4;
  const inward = zoomed() > 1.05 ? 0 : Math.min(Math.max(x, wide / 2 + 4), most) - x; // nothing is cut at first
  const box = (dx, dy, over = false) => ({ x: x + dx, y: y + dy, wide, high, over });
  if (Math.hypot(wide, high) < 2 * r) return [{ ...box(0, 0, true), inside: true }];
  const [below, beside] = [r + high / 2 + 2, r + wide / 2 + 3];
  const around = [box(inward, below), box(inward, -below), box(beside, 0), box(-beside, 0)];
  return r > 0.5 * biggest * whole.scale ? [...around, box(inward, 0, true)] : around; // a big one has to have its label
}

function isFree(box, taken, spots, own) {
  const apart = (one) => Math.abs(one.x - box.x) * 2 >= one.wide + box.wide + 6 ||
    Math.abs(one.y - box.y) * 2 >= one.high + box.high + 2;
  const aside = (index) => index === own || box.over || (found && !found.has(topics[index]));
  const clear = ({ x, y, r }, index) => aside(index) || Math.hypot(
    Math.max(Math.abs(x - box.x) - box.wide / 2, 0), Math.max(Math.abs(y - box.y) - box.high / 2, 0)) >= r - 3;
  const seen = zoomed() > 1.05 || (box.x - box.wide / 2 > 2 && box.x + box.wide / 2 < map.clientWidth - 2);
  return seen && taken.every(apart) && spots.every(clear);
}

// The card

function show(topic, keep = false) {
  active = topic;
  kept = keep && topic !== null;
  card.hidden = topic === null;
  card.classList.toggle("kept", kept);
  if (topic) fillCard(topic);
  for (const button of list.querySelectorAll("button")) button.classList.toggle("active", button.topic === topic);
  draw();
}

function fillCard(topic) {
  card.replaceChildren();
  make(card, "h2", {}, topic.label);
  const figures = make(card, "p", { class: "figures", "data-region": topic.region });
  make(figures, "span", { class: "dot" });
  const share = total ? ` · ${((100 * topic.size) / total).toFixed(1)} %` : "";
  make(figures, "span", {}, texts(topic.size) + share);
  const words = make(card, "p", { class: "words" });
  for (const word of topic.words) make(words, "span", {}, word);
  if (topic.groups.length) make(card, "h3", {}, "Groups");
  if (topic.groups.length) make(card, "p", {}, topic.groups.map(spaced).join(", "));
  if (topic.near.length) make(card, "h3", {}, "Nearest topics");
  for (const [index, similarity] of topic.near) {
    const near = topics[index];
    const button = make(card, "button", { type: "button", class: "near", "data-region": near.region });
    make(button, "span", { class: "dot" });
    make(button, "span", { class: "name" }, near.label);
    const bar = make(make(button, "span", { class: "bar", title: `similarity ${similarity}` }), "i");
    bar.style.width = `${Math.max(similarity, 0) * 100}%`;
    button.addEventListener("click", () => visit(near));
  }
  const close = make(card, "button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
  close.addEventListener("click", () => { show(null); map.focus(); });
}

const texts = (count) => `${number.format(count)} ${count === 1 ? "text" : "texts"}`;

function placeCard({ x, y, r }) {
  const [wide, high] = [card.offsetWidth, card.offsetHeight];
  const clear = Math.max(r, active.wide / 2) + 14;
  const left = x + clear + wide + 10 < map.clientWidth ? x + clear : Math.max(x - clear - wide, 10);
  const top = Math.min(Math.max(y - high / 3, 10), Math.max(map.clientHeight - high - 10, 10));
  card.style.transform = `translate(${left.toFixed()}px, ${top.toFixed()}px)`;
}
