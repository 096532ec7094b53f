// Links the bytes of a picture with the table of its parts. It reads both from the page: the grid
// says which bytes stand where, a row of the table what they are.

const all = (node, selector) => [...node.querySelectorAll(selector)];

// "0005-0009" -> [5, 10]
function span(text) {
  const [first, last = first] = text.split("-").map((digits) => parseInt(digits, 16));
  return [first, last + 1];
}

// "record[0].key.data" -> "the data of the key of record 0"
const english = (path) =>
  path.replaceAll("_", " ").split(".").reverse()
    .map((word) => (/\d/.test(word) ? word.replace(/\W+/g, " ").trim() : "the " + word))
    .join(" of ");

// A key pressed here stays here: a notebook would cut its cell at an "x". The attribute must stand
// on the very node that has the focus.
function keys(node, listener) {
  node.setAttribute("data-lm-suppress-shortcuts", true);
  node.onkeydown = (event) => {
    event.stopPropagation();
    if (listener && !event.ctrlKey && listener(event.key)) event.preventDefault();
  };
}

// Makes one picture interactive; gives what to call when its tables have been drawn anew.
function view(picture) {
  const [grid, table] = all(picture, "table");
  let parts, chosen = [], number = 0;
  while (document.getElementById("kvlib" + number)) number++;
  picture.id = "kvlib" + number;
  picture.querySelector(".say").outerHTML =
    "<output class=say role=status>Point at a byte, or press Tab and arrow keys, to read what it is.</output>";
  picture.querySelector(".flaw").outerHTML +=
    "<p><label>Go to offset, in hexadecimal <input size=6></label>";
  const [say, input] = all(picture, "output,input");

  // Each run of bytes knows its offset, and has a twin among the characters.
  function dress() {
    parts = 0;
    for (const { cells: [head, hex, text] } of all(grid, "tbody tr")) {
      if (!text || hex.role) continue;
      let [at] = span(head.textContent), letters = text.textContent;
      text.textContent = "";
      hex.role = "none";
      for (const run of hex.children) {
        const size = run.textContent.split(/\s+/).length, twin = text.appendChild(run.cloneNode());
        twin.textContent = letters.slice(0, size);
        run.role = "gridcell";
        run.at = twin.at = at;
        letters = letters.slice(size);
        at += size;
      }
    }
  }

  const read = () =>
    (parts = parts || all(table, "[scope=row]").map((head, index) => {
      const [start, end] = span(head.textContent), row = head.parentNode;
      const empty = row.cells[1].textContent[0] === "(";
      return (row.piece = { index, row, start, end: empty ? start : end });
    }));

  const covering = (offset) => read().find(({ end }) => end > offset) || parts.at(-1);
  const near = (index) => parts[Math.max(0, Math.min(index, parts.length - 1))];
  const family = (part) => parts.filter(({ row }) => row.parentNode === part.row.parentNode);

  function sentence([{ row, start, end }, ...more]) {
    const above = row.parentNode.querySelector("[colspan]");
    const [offsets, hex, , name, meaning] = [...row.cells].map((cell) => cell.textContent);
    const heading = above ? above.textContent : "";
    if (more[0]) return `${heading} (${more.length + 1} parts, Enter goes into them)`;
    const path = (heading && heading.split(":")[0] + ".") + name, size = end - start;
    const about = row.dataset.about;
    return `${offsets}, ${size} byte${size === 1 ? "" : "s"}: ${english(path)}: ` +
      [meaning, hex].filter(Boolean).join(", ") + (about ? `. It is about ${about}, outlined.` : "");
  }

  function mark(word, low, high) {
    for (const run of all(grid, "b")) run.classList.toggle(word, run.at >= low && run.at < high);
    for (const { row, start, end } of parts) row.classList.toggle(word, start < high && end > low);
  }

  // `still`: the pointer is on the table, which must not move under it.
  function choose(some, still) {
    if (!some[0]) return;
    const [{ index, row, start }] = (chosen = some), { end } = some.at(-1);
    mark("on", start, end);
    mark("about", ...(some[1] ? [] : span(row.dataset.about || "")));
    row.classList.add("on");
    say.textContent = sentence(some);
    const run = all(grid, "b").find(({ at }) => at >= start && at < end);
    for (const [holder, node] of [[grid, run], [table, row]]) {
      if (node) node.id = picture.id + holder.className + index;
      holder.setAttribute("aria-activedescendant", node ? node.id : "");
    }
    const box = table.parentNode, top = row.offsetTop - box.offsetTop;
    if (still) return;
    if (top < box.scrollTop || top + 24 > box.scrollTop + box.clientHeight) box.scrollTop = top - 60;
  }

  function press(key, step) {
    const [{ index, start, end }] = chosen, last = chosen.at(-1).index, alone = step && !chosen[1];
    const target = {
      ArrowRight: last + 1,
      ArrowLeft: index - 1,
      ArrowDown: alone ? covering(Math.max(start + step, end)).index : last + 1,
      ArrowUp: alone ? covering(start - step).index : index - 1,
      Home: 0,
      End: 1 / 0,
      Enter: index,
      Escape: index,
    }[key];
    if (key === "g") input.focus();
    else if (target === undefined) return;
    else choose(key === "Escape" || (chosen[1] && key !== "Enter") ? family(near(target)) : [near(target)]);
    return true;
  }

  for (const [holder, step] of [[grid, 16], [table, 0]]) {
    holder.tabIndex = 0;
    holder.role = "grid";
    holder.onfocus = () => chosen[0] || choose([covering(0)]);
    holder.onpointerover = ({ target }) => {
      read();
      if (target.at >= 0) choose([covering(target.at)]);
      else choose([(target.closest("tr") || target).piece], true);
    };
    keys(holder, (key) => press(key, step));
  }
  keys(input, (key) => {
    const offset = parseInt(input.value, 16);
    if (key === "Enter" && offset >= 0) choose([covering(offset)]);
    if (key === "Enter" || key === "Escape") grid.focus();
  });
  keys(picture.querySelector("summary"));
  dress();
  return () => {
    dress();
    if (chosen[0]) choose([covering(chosen[0].start)]);
  };
}

function begin(selector, make) {
  for (const root of all(document, selector + ":not([data-on])")) {
    root.dataset.on = "";
    make(root);
  }
}
