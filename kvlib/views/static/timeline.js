// Plays a timeline: shows the moment that the slider points at. What there is to see then was worked
// out before; here it is unpacked and drawn.

const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

// A column has a string for each moment; "*3" stands for three more of the same, "*3-1+0" for three
// in each of which the numbers have grown so much. The others are written as `read` reads them.
function expand(column, read = (text) => text) {
  const texts = [];
  for (const item of column) {
    const [count, ...steps] = item.match(/[-+]?\d+/g) || [];
    if (item[0] !== "*") texts.push(read(item));
    else for (let left = count; left; left--) {
      let index = 0;
      const grown = (digits) => +digits + +steps[index++];
      texts.push(steps[0] ? texts.at(-1).replace(/[0-9]{1,9}/g, grown) : texts.at(-1));
    }
  }
  return texts;
}

// Lists, each as a change to the one before it or to the first: how many stay at the beginning, how
// many at the end unless the length stays too, and what stands between.
function changes(column, parse, fromFirst) {
  const lists = [];
  for (const change of expand(column)) {
    const [kept, ...rest] = change.split(" "), fresh = parse(rest);
    const old = (fromFirst ? lists[0] : lists.at(-1)) || [];
    const [head, tail = old.length - head - fresh.length] = kept.split(".");
    lists.push([...old.slice(0, head), ...fresh, ...old.slice(old.length - tail)]);
  }
  return lists;
}

function unpack(film) {
  const strings = changes(film.strings, (rest) => [...rest.join(" ")]).map((letters) => letters.join(""));
  const said = (numbers) => numbers.split(" ").map((number) => strings[number]).join(": ");
  const column = (text) => expand(text.split("|")), texts = (text) =>
    text[0] === "~" ? column(text.slice(1)).map(said) : expand(text.split("|"), said);
  const pieces = expand(film.pieces).map((text) => {
    const [size, letter, status, heading, name, meaning, low, high] = text.split(":");
    return { size: +size, letter, status, heading: said(heading), name: said(name), meaning: said(meaning), low: +low, high };
  });
  const notes = film.notes.map(texts);
  const results = film.results.map((text) => column(text).map((number) => film.outcomes[number]));
  const slots = film.slots.map((slot) => ({
    there: column(slot.there),
    titles: texts(slot.titles),
    data: changes(slot.data.split("|"), ([hex = ""]) => hex.toUpperCase().match(/../g) || [], slot.first),
    pieces: changes(slot.pieces.split("|"), (fresh) => fresh.map((number) => pieces[number])),
    marks: column(slot.marks),
    flaws: texts(slot.flaws),
  }));
  const shown = (slot, index) => ({
    there: slot.there[index],
    title: slot.titles[index],
    data: slot.data[index],
    pieces: slot.pieces[index],
    flaw: slot.flaws[index],
    marks: slot.marks[index].split(" ").filter(Boolean).map((mark) => {
      const [word, start, size] = mark.split(":");
      return { word, start: +start, end: size ? +start + +size : slot.data[index].length };
    }),
  });
  return texts(film.labels).map((label, index) => ({
    label,
    outcomes: results.map((result) => result[index]),
    notes: notes.map((note) => note[index]),
    pictures: slots.map((slot) => shown(slot, index)),
  }));
}

// ------------------------------------------------------------------------------------ the pictures

const SIGNS = { bad: "!! ", torn: "~~ ", unread: "? ", beyond: "//" };
const ABSENT = { letter: "", status: "beyond", heading: "", name: "beyond", meaning: "never reached the disk" };

const CAPTION = ", 16 in a row; two digits are one byte";

// The rows of both tables, as html.py writes them.
function drawing({ title, data, pieces, marks, flaw }) {
  const digits = Math.max(4, 2 * Math.ceil(Math.max(data.length - 1, 0).toString(16).length / 2));
  const offset = (at) => at.toString(16).toUpperCase().padStart(digits, 0);
  const range = (start, end) => offset(start) + (end > start + 1 ? "-" + offset(end - 1) : "");
  const edges = marks.flatMap(({ start, end }) => [start, end]).sort((a, b) => a - b);
  const size = data.length - pieces.reduce((sum, piece) => sum + piece.size, 0);
  const runs = [];
  let at = 0, above, first = 0;
  const rows = [], bodies = [];
  for (const piece of size ? [...pieces, { ...ABSENT, size }] : pieces) {
    const end = at + piece.size, { letter, status, heading } = piece;
    const names = [letter, status].filter(Boolean).join(" ");
    let start = at;
    for (const edge of [...edges.filter((edge) => edge > at && edge < end), end]) {
      const words = marks.filter((mark) => mark.start <= start && start < mark.end);
      if (edge > start) runs.push([start, edge, [names, ...words.map(({ word }) => word)].join(" ")]);
      start = edge;
    }
    if (heading !== above) bodies.push("<tbody>");
    if (heading && heading !== above) bodies[bodies.length - 1] += "<tr><th colspan=5 scope=rowgroup>" + escape(heading);
    above = heading;
    const about = piece.high === undefined ? "" : " data-about=" + range(at + piece.low, at + +piece.high);
    const hex = data.slice(at, Math.min(end, at + 8)).join(" ") || "(none)";
    bodies[bodies.length - 1] += `<tr${about}><th scope=row>${range(at, end)}<td>` +
      (piece.size > 8 ? hex.slice(0, -2) + "…" : hex) +
      `<td class="${names}">${SIGNS[status] || ""}${letter}<td>${escape(piece.name)}<td>${escape(piece.meaning)}`;
    at = end;
  }
  for (at = 0; at < data.length; at += 16) {
    const stop = Math.min(at + 16, data.length), middle = at + 8;
    while (runs[first][1] <= at) first++;
    let cells = "";
    for (let index = first; runs[index] && runs[index][0] < stop; index++) {
      const low = Math.max(runs[index][0], at), high = Math.min(runs[index][1], stop);
      const halves = [data.slice(low, Math.min(high, Math.max(low, middle))), data.slice(Math.max(low, middle), high)];
      const text = halves.filter((half) => half[0]).map((half) => half.join(" ")).join("  ");
      cells += (low === at ? "" : low === middle ? "  " : " ") + `<b class="${runs[index][2]}">${text}</b>`;
    }
    const characters = data.slice(at, stop).map((hex) => String.fromCharCode(parseInt(hex, 16)));
    rows.push(`<tr><th scope=row>${offset(at)}<td>${cells}<td>` +
      escape(characters.join("").replace(/[^ -~]/g, ".")));
  }
  const count = data.length.toLocaleString("en") + (data.length === 1 ? " byte" : " bytes");
  return { rows, bodies, flaw, caption: (title && title + ": ") + count + CAPTION };
}

// Makes the nodes be what the texts say; those that say what they did stay.
function redraw(holder, nodes, texts, before) {
  texts.forEach((text, index) => {
    if (!nodes[index]) holder.insertAdjacentHTML("beforeend", text);
    else if (text !== before[index]) nodes[index].outerHTML = text;
  });
  while (nodes.length > texts.length) nodes[texts.length].remove();
}

// ------------------------------------------------------------------------------------- the player

const VERDICTS = { "=": "right", "!": "refused", x: "wrong", "-": "told" };

function strip(name, outcomes) {
  const cells = [];
  for (const outcome of outcomes) {
    if (cells.length && cells.at(-1).outcome === outcome) cells.at(-1).size++;
    else cells.push({ outcome, size: 1 });
  }
  const spans = cells.map(({ outcome: [sign, words], size }) =>
    `<span class=${VERDICTS[sign]} style="flex-grow:${size}" title="${escape(words)}">${sign}</span>`);
  return `<p>${escape(name)}<div class=cells aria-hidden=true>${spans.join("")}<i></i></div>`;
}

function player(root) {
  const film = JSON.parse(root.querySelector("[type='application/json']").textContent);
  const moments = unpack(film), last = moments.length - 1;
  const pictures = all(root, ".picture"), updates = pictures.map(view);
  const names = ["First", "Back", "Next", "Last", "Next change"];
  const shown = pictures.map(() => ({ rows: [], bodies: [] }));
  let now = film.start;
  root.querySelector(".wait").outerHTML = "<div class=player>" +
    film.strips.map((name, number) => strip(name, moments.map(({ outcomes }) => outcomes[number]))).join("") +
    `<p><label>${escape(film.control)} <input type=range min=0 max=${last}></label><p>` +
    names.map((name) => `<button type=button>${name}</button>`).join("") +
    "</p><output class=say role=status></output></div>";
  const controls = root.querySelector(".player"), notes = root.querySelector("dl");
  const slider = controls.querySelector("input"), say = controls.querySelector("output");
  // The thumb, 16 pixels wide, stands under the middle of its moment's part of the strip.
  const step = 100 / moments.length + "%";
  slider.style.cssText = `margin: 4px 0 4px calc(${step} / 2 - 8px); width: calc(100% - ${step} + 16px)`;
  const lines = ({ notes }) => notes.filter(Boolean).join("\n").split("\n").length;
  notes.style.minHeight = Math.max(...moments.map(lines)) * 1.6 + "em";
  all(root, "details").forEach((details) => (details.open = false));
  for (const node of all(root, ".outcomes > *")) {
    if (node.className) node.tabIndex = 0; // so that keys can scroll it
    keys(node);
  }
  root.querySelector(".now").remove();

  function show(index) {
    now = Math.max(0, Math.min(index, last));
    const moment = moments[now];
    const answers = moment.outcomes.map(([sign, words], number) =>
      `${film.strips[number]}: ${sign === "-" || words.startsWith(VERDICTS[sign]) ? "" : VERDICTS[sign] + ": "}${words}`);
    slider.value = now;
    say.textContent = `${film.control}: ${moment.label}. ${answers.join(". ")}`;
    slider.setAttribute("aria-valuetext", say.textContent);
    for (const line of all(controls, "i")) line.style.left = (100 * (now + 0.5)) / moments.length + "%";
    notes.innerHTML = moment.notes.map((note, number) =>
      note && (number % 2 ? "<dd>" : "<dt>") + escape(note)).join("");
    pictures.forEach((picture, number) => {
      picture.hidden = !moment.pictures[number].there;
      if (picture.hidden) return;
      const drawn = drawing(moment.pictures[number]), before = shown[number];
      const [grid, parts] = all(picture, "table");
      grid.caption.textContent = drawn.caption;
      redraw(grid.tBodies[0], grid.tBodies[0].rows, drawn.rows, before.rows);
      redraw(parts, parts.tBodies, drawn.bodies, before.bodies);
      picture.querySelector(".flaw").textContent = drawn.flaw;
      shown[number] = drawn;
      updates[number]();
    });
  }

  const same = (index) => moments[index].outcomes.every((outcome, number) => outcome === moments[now].outcomes[number]);
  const change = () => moments.findIndex((_, index) => index > now && !same(index));
  const targets = [() => 0, () => now - 1, () => now + 1, () => last, () => (change() < 0 ? last : change())];
  all(controls, "button").forEach((button, number) => {
    keys(button);
    button.onclick = () => show(targets[number]());
  });
  keys(slider);
  slider.oninput = () => show(+slider.value);
  for (const cells of all(controls, ".cells")) {
    cells.onpointermove = cells.onpointerdown = (event) => {
      const { left, width } = cells.getBoundingClientRect();
      const index = Math.floor(((event.clientX - left) / width) * moments.length);
      if (event.buttons && index !== now) show(index);
    };
  }
  show(now);
}

begin(".kvlib.film", player);
