// How the map is moved and searched. Stands in the same script as map.js, behind it.

let flight = 0;

function fly(target) {
  cancelAnimationFrame(flight);
  const start = { ...view };
  const began = performance.now();
  const step = (now) => {
    const part = calm.matches ? 1 : Math.min(Math.max(now - began, 0) / 350, 1);
    const eased = 1 - (1 - part) ** 3;
    for (const key of Object.keys(view)) view[key] = start[key] + (target[key] - start[key]) * eased;
    draw();
    if (part < 1) flight = requestAnimationFrame(step);
  };
  step(began);
}

function zoom(factor, x = map.clientWidth / 2, y = map.clientHeight / 2) {
  const scale = Math.min(Math.max(view.scale * factor, whole.scale * 0.6), whole.scale * 12);
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

function visit(topic) {
  const scale = Math.max(view.scale, whole.scale * 1.8);
  const middle = narrow.matches ? 0.3 : 0.5; // the card covers the lower part of a narrow window
  show(topic, true);
  fly({ scale, x: map.clientWidth / 2 - topic.across * scale, y: map.clientHeight * middle - topic.down * scale });
}

// The whole map fills the window: it is turned in a tall one, and its places drawn apart where there is room.
function fit() {
  const [wide, high] = [map.clientWidth, map.clientHeight];
  const [beside, above, below] = narrow.matches ? [20, 30, 76] : [72, 48, 48]; // labels and buttons need room too
  const [room, height] = [Math.max(wide - 2 * beside, 50), Math.max(high - above - below, 50)];
  const still = turned !== high > wide || Object.keys(view).every((key) => view[key] === whole[key]);
  turned = high > wide;
  for (const topic of topics) [topic.across, topic.down] = turned ? [topic.y, topic.x] : [topic.x, topic.y];
  const ratio = (room / reach("across").length) / (height / reach("down").length);
  for (const topic of topics) {
    topic.across *= Math.min(Math.max(ratio, 1), 1.5);
    topic.down *= Math.min(Math.max(1 / ratio, 1), 1.5);
  }
  const [across, down] = [reach("across"), reach("down")];
  const scale = Math.min(room / across.length, height / down.length, 1.2);
  whole = { scale, x: wide / 2 - scale * across.middle, y: above + height / 2 - scale * down.middle };
  if (still) Object.assign(view, whole);
  draw();
}

function reach(axis) {
  const low = Math.min(...topics.map((topic) => topic[axis] - topic.r));
  const high = Math.max(...topics.map((topic) => topic[axis] + topic.r));
  return { length: high - low, middle: (low + high) / 2 };
}

new ResizeObserver(fit).observe(map);

// The pointer: one drags, two pinch, the wheel zooms

const pointers = new Map();
let moved = 0;

map.addEventListener("pointerdown", (event) => {
  cancelAnimationFrame(flight);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY, topic: at(event.target) });
});
map.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = { x: event.offsetX, y: event.offsetY };
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  if (moved < 5) return;
  map.setPointerCapture(event.pointerId);
  map.classList.add("dragged");
  if (other) {
    const length = (point) => Math.max(Math.hypot(point.x - other.x, point.y - other.y), 1);
    Object.assign(view, zoom(length(now) / length(before), other.x, other.y));
  } else {
    view.x += now.x - before.x;
    view.y += now.y - before.y;
  }
  Object.assign(before, now);
  draw();
});
for (const end of ["pointerup", "pointercancel"]) {
  map.addEventListener(end, (event) => {
    const pointer = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    map.classList.remove("dragged");
    if (pointer && moved < 5 && end === "pointerup") show(pointer.topic, true);
  });
}
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  cancelAnimationFrame(flight);
  const lines = event.deltaMode ? 20 : 1;
  Object.assign(view, zoom(Math.exp(-event.deltaY * lines * 0.0016), event.offsetX, event.offsetY));
  draw();
}, { passive: false });
map.addEventListener("dblclick", (event) => fly(zoom(2, event.offsetX, event.offsetY)));
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => fly(Number(button.dataset.zoom) ? zoom(button.dataset.zoom) : whole));
}

const at = (target) => topics.find((topic) => topic.circle === target) ?? null;

// The keyboard

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

map.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in ARROWS) show(next(...ARROWS[event.key]), kept);
  else if (event.key === "Enter" && active) visit(active);
  else if (event.key === "+" || event.key === "=") fly(zoom(1.5));
  else if (event.key === "-") fly(zoom(1 / 1.5));
  else if (event.key === "0") fly(whole);
  else return;
  event.preventDefault();
  if (event.key in ARROWS) reveal(active);
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    show(null);
    find("");
  } else if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});

// The nearest topic in a direction; what is off to the side counts as farther away.
function next(dx, dy) {
  if (!active) return topics[0];
  const from = placed(active);
  const far = (topic) => {
    const { x, y } = placed(topic);
    const ahead = (x - from.x) * dx + (y - from.y) * dy;
    const aside = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx);
    return ahead > 1 && topic !== active ? ahead + 2 * aside : Infinity;
  };
  const best = topics.reduce((one, other) => (far(other) < far(one) ? other : one), active);
  return best;
}

function reveal(topic) {
  const { x, y } = placed(topic);
  if (x < 20 || y < 20 || x > map.clientWidth - 20 || y > map.clientHeight - 20) {
    fly({ ...view, x: view.x + map.clientWidth / 2 - x, y: view.y + map.clientHeight / 2 - y });
  }
}

// The list, and the search in it

function find(text) {
  search.value = text;
  const asked = plain(text.trim());
  const hits = topics.filter((topic) => topic.about.includes(asked));
  hits.sort((one, other) => other.name.includes(asked) - one.name.includes(asked)); // labels before words
  found = asked ? new Set(hits) : null;
  list.replaceChildren();
  for (const topic of found ?? topics) {
    const button = make(make(list, "li", { "data-region": topic.region }), "button", { type: "button" });
    button.topic = topic;
    make(button, "span", { class: "dot" });
    make(button, "span", { class: "name", title: topic.label }, topic.label);
    make(button, "span", { class: "size", "aria-label": texts(topic.size) }, number.format(topic.size));
    button.addEventListener("click", () => {
      visit(topic);
      if (narrow.matches) map.focus(); // folds the list
    });
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !kept && show(topic));
    button.addEventListener("pointerleave", () => !kept && show(null));
  }
  if (!list.children.length) make(list, "li", { class: "none", role: "status" }, "No topic has this in its words.");
  draw();
}

search.addEventListener("input", () => find(search.value));
search.addEventListener("keydown", (event) => {
  const first = list.querySelector("button");
  if (event.key === "Enter" && first) {
    visit(first.topic);
    map.focus();
  } else if (event.key === "ArrowDown" && first) {
    event.preventDefault();
    first.focus();
  }
});
list.addEventListener("keydown", (event) => {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (!step) return;
  event.preventDefault();
  (event.target.closest("li")[step]?.querySelector("button") ?? search).focus();
});

document.getElementById("scheme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.style.colorScheme ? root.style.colorScheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.style.colorScheme = dark ? "light" : "dark";
});
document.getElementById("about").textContent =
  `${number.format(topics.length)} ${topics.length === 1 ? "topic" : "topics"} · ${texts(total)}` +
  (outliers ? ` · ${number.format(outliers)} more without a topic` : "");
fit();
find("");
