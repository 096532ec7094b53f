// Shows one position of a figure at a time. Every shape and sentence was made in Python.
const hue = (shape) => shape.replace(/\$([a-z0-9-]+)/g, "var(--kv-$1)");

function figure(root) {
  const data = JSON.parse(root.querySelector("[type='application/json']").textContent);
  const { strings, moves, changes, switch: names } = data, [width, height] = data.size;
  const positions = data.positions.map(([label, says, shapes, x, y, w, h]) =>
    ({ label, says, shapes, spot: x === undefined ? null : [x, y, w, h] }));
  const size = positions.length / (names.length || 1);
  const make = (tag, more) => Object.assign(document.createElement(tag), more);
  const stage = make("div", { className: "stage", tabIndex: 0, role: "slider" });
  stage.innerHTML = `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true">${hue(data.fixed)}<g></g></svg>`;
  stage.ariaLabel = data.control + " in: " + data.title;
  stage.ariaValueMin = 0;
  stage.ariaValueMax = size - 1;
  const say = make("output", { className: "say", role: "status" });
  const bar = make("div", { className: "bar" }), moving = stage.querySelector("g");
  let now = data.start;

  const variant = () => Math.floor(now / size);
  function show(index, within = variant()) {
    const first = within * size;
    now = Math.max(first, Math.min(index, first + size - 1));
    const { label, says, shapes } = positions[now];
    moving.innerHTML = hue(shapes.map((number) => strings[number]).join(""));
    say.textContent = (data.control ? `${data.control}: ${label}. ` : "") + strings[says];
    stage.ariaValueNow = now - first;
    stage.ariaValueText = say.textContent;
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
  guard(stage, (key) => {
    const [across, down] = moves, first = variant() * size;
    const target = {
      ArrowRight: now + across, ArrowLeft: now - across, ArrowDown: now + down, ArrowUp: now - down,
      PageDown: now + 10 * across, PageUp: now - 10 * across, Home: first, End: first + size - 1, n: next() ?? now,
    }[key];
    if (target === undefined) return false;
    if (target >= first && target < first + size) show(target);
    else if (key.startsWith("Page")) show(target);
    return true;
  });

  // The pointer chooses the nearest spot; a press begins a drag, which may leave the picture.
  function choose(event) {
    const box = stage.firstChild.getBoundingClientRect(), scale = width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = -1, least = Infinity;
    for (let at = variant() * size; at < (variant() + 1) * size; at++) {
      if (!positions[at].spot) continue;
      const [left, top, w, h] = positions[at].spot;
      const away = Math.hypot(Math.max(left - x, 0, x - left - w), 3 * Math.max(top - y, 0, y - top - h));
      if (away < least) [best, least] = [at, away];
    }
    if (best >= 0 && best !== now) show(best);
  }
  stage.onpointerdown = (event) => {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    choose(event);
  };
  stage.onpointermove = (event) => event.buttons & 1 && choose(event);

  const button = (words, action) => {
    const made = make("button", { type: "button", textContent: words, onclick: action });
    guard(made);
    bar.append(made);
  };
  if (size > 1) {
    button("Back", () => show(now - 1));
    button("Next", () => show(now + 1));
    if (changes.length && size > 8) button("Next change", () => show(next() ?? (variant() + 1) * size - 1));
  }
  const group = "kvlib" + Math.random();
  names.forEach((name, number) => {
    const label = make("label"), choice = make("input", { type: "radio", name: group, value: number });
    choice.onchange = () => show(number * size + (now % size), number);
    guard(choice);
    label.append(choice, " " + name);
    bar.append(label);
  });

  root.querySelector("img").replaceWith(stage);
  root.querySelector(".say").replaceWith(bar, say);
  for (const summary of root.querySelectorAll("summary")) guard(summary);
  show(now);
}

for (const root of document.querySelectorAll(".kvlib.figure:not([data-on])")) {
  root.dataset.on = "";
  if (root.querySelector("[type='application/json']")) figure(root);
}
