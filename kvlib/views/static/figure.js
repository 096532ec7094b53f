// Shows one position of a figure at a time. Every shape and sentence was made in Python.
const hue = (shape) => shape.replace(/\$([a-z0-9-]+)/g, "var(--kv-$1)");

function figure(root) {
  const data = JSON.parse(root.querySelector("[type='application/json']").textContent);
  const { strings, moves, changes, switch: names } = data, [width, height] = data.size;
  const positions = data.positions.map(([label, says, shapes, ...numbers]) => {
    const spots = [];
    while (numbers.length) spots.push(numbers.splice(0, 4));
    return { label, shapes, spots, says: [says].flat().map((number) => strings[number]).join(", ") };
  });
  const size = positions.length / (names.length || 1);
  const make = (tag, more) => Object.assign(document.createElement(tag), more);
  const stage = make("div", { className: "stage" });
  let fixed = data.fixed, used = 0;
  if (data.colours) { // a dense figure has its fixed shapes only in the static image, in light colours
    const image = decodeURIComponent(root.querySelector("img").getAttribute("src"));
    fixed = image.slice(image.indexOf(">") + 1, image.lastIndexOf("<g>"))
      .replace(/(?<==")#\w{6}(?=")/g, () => strings[data.colours[used++]]);
  }
  const frame = ([x, y, w, h]) =>
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="4" fill="none" stroke="$you" stroke-width="3.2"/>`;
  stage.innerHTML = `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true">${hue(fixed)}<g></g></svg>`;
  const say = make("output", { className: "say", role: "status" });
  const bar = make("div", { className: "bar" }), moving = stage.firstChild.lastElementChild;
  let now = data.start;

  const variant = () => Math.floor(now / size);
  function show(index, within = variant()) {
    const first = within * size;
    now = Math.max(first, Math.min(index, first + size - 1));
    const { label, says, shapes, spots } = positions[now];
    const frames = data.colours ? spots.map(frame) : [];
    moving.innerHTML = hue(shapes.map((number) => strings[number]).concat(frames).join(""));
    say.textContent = (data.control ? `${data.control}: ${label}. ` : "") + says;
    if (positions.length > 1) {
      Object.assign(stage, { ariaValueNow: now - first, ariaValueText: say.textContent });
    }
    for (const choice of bar.querySelectorAll("input")) choice.checked = +choice.value === within;
  }
  const next = () => changes.find((at) => at > now && at < (variant() + 1) * size);

  // A key pressed here stays here: a notebook would cut its cell at an "x".
  const guard = (node, listener) => {
    node.setAttribute("data-lm-suppress-shortcuts", true);
    node.onkeydown = (event) => {
      event.stopPropagation();
      if (listener && !event.ctrlKey && !event.metaKey && !event.altKey && listener(event.key)) event.preventDefault();
    };
  };
  function press(key) {
    const [across, down] = moves, first = variant() * size;
    const target = {
      ArrowRight: now + across, ArrowLeft: now - across, ArrowDown: now + down, ArrowUp: now - down,
      PageDown: now + 10 * across, PageUp: now - 10 * across, Home: first, End: first + size - 1, n: next() ?? now,
    }[key];
    if (target === undefined) return false;
    if (!down && key.endsWith("Down")) below(1);
    else if (!down && key.endsWith("Up")) below(-1);
    else if (target >= first && target < first + size) show(target);
    else if (key.startsWith("Page")) show(target);
    reveal();
    return true;
  }

  // Goes to the nearest spot in the next row (1) or in the one before (-1).
  function below(step) {
    const { spots } = positions[now];
    if (!spots[0]) return;
    const [, top, , high] = spots.at(step > 0 ? -1 : 0);
    const beyond = ([, y]) => step * (y - top) > high / 2;
    show(nearest(spots[0][0] + 12, top + high / 2 + step * high, beyond) ?? now);
  }

  // A tall picture scrolls within its stage.
  function reveal() {
    const [spot] = positions[now].spots, scale = stage.firstChild.getBoundingClientRect().width / width;
    if (!spot) return;
    const top = (spot[1] - 40) * scale, bottom = (spot[1] + spot[3] + 40) * scale;
    stage.scrollTop = Math.max(Math.min(stage.scrollTop, top), bottom - stage.clientHeight);
  }

  function nearest(x, y, fits = () => true) {
    let best, least = Infinity;
    for (let at = variant() * size; at < (variant() + 1) * size; at++) {
      for (const spot of positions[at].spots) {
        const [left, top, w, h] = spot;
        const away = Math.hypot(Math.max(left - x, 0, x - left - w), 3 * Math.max(top - y, 0, y - top - h));
        if (away < least && fits(spot)) [best, least] = [at, away];
      }
    }
    return best;
  }

  // The pointer chooses the nearest spot; a press begins a drag, which may leave the picture.
  function choose(event) {
    const box = stage.firstChild.getBoundingClientRect(), scale = width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    const best = nearest(x, y);
    if (best !== undefined && best !== now) show(best);
  }
  // What is scrolled under a pointer that stands still isn't pointed at.
  function move(event) {
    if ((data.colours || event.buttons & 1) && (event.movementX || event.movementY)) choose(event);
  }
  function hold(event) {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    choose(event);
  }

  const button = (words, action) => {
    const made = make("button", { type: "button", textContent: words });
    made.onclick = () => {
      show(action());
      reveal();
    };
    guard(made);
    bar.append(made);
  };
  if (size > 1) {
    button("Back", () => now - 1);
    button("Next", () => now + 1);
    if (changes.length && size > 8) button("Next change", () => next() ?? (variant() + 1) * size - 1);
  }
  const group = "kvlib" + Math.random();
  names.forEach((name, number) => {
    const label = make("label"), choice = make("input", { type: "radio", name: group, value: number });
    choice.onchange = () => show(number * size + (now % size), number);
    guard(choice);
    label.append(choice, " " + name);
    bar.append(label);
  });

  if (positions.length > 1) {
    Object.assign(stage, { role: "slider", tabIndex: 0, ariaValueMin: 0, ariaValueMax: size - 1 });
    stage.ariaLabel = `${data.control} in: ${data.title}`;
    Object.assign(stage, { onpointerdown: hold, onpointermove: move });
    guard(stage, press);
    root.querySelector(".say").replaceWith(bar, say);
  } else {
    Object.assign(stage, { role: "img", ariaLabel: data.title });
  }
  root.querySelector("img").replaceWith(stage);
  for (const node of root.querySelectorAll("summary, .scroll")) guard(node);
  show(now);
}

for (const root of document.querySelectorAll(".kvlib.figure:not([data-on])")) {
  root.dataset.on = "";
  figure(root);
}
