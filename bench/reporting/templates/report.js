// What a reader can do with a page: open a cell, sort a table, filter claims, copy an entry. The page is whole without it.
"use strict";

const source = document.getElementById("report-data");
const data = source ? JSON.parse(source.textContent) : { cells: {}, trials: [], shared: { facts: [], config: {} } };

// Text goes in as text and never as markup, whatever it holds.
function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function definitions(facts) {
  return make("dl", { className: "pairs" }, ...facts.flatMap(([name, text]) =>
    [make("dt", {}, name), make("dd", {}, text)]));
}

// --- what is behind a cell

const dialog = document.getElementById("cell-dialog");

function trialDetails([text, number]) {
  const trial = data.trials[number];
  if (!trial) return make("p", {}, text);
  const facts = [["Trial", trial.id], ["Digest", trial.digest], ...trial.facts, ...data.shared.facts];
  const file = trial.href
    ? [make("p", {}, "Results file: ", make("a", { href: trial.href }, trial.file))]
    : [];
  const config = JSON.stringify({ ...data.shared.config, ...trial.config }, null, 2);
  const listing = make("pre", { tabIndex: 0 }, config);
  return make("details", {}, make("summary", {}, text), ...file, definitions(facts),
    make("details", {}, make("summary", {}, "Configuration"), listing));
}

function fill(id) {
  const cell = data.cells[id];
  document.getElementById("cell-title").textContent = cell.title;
  const parts = [];
  if (cell.verdict) {
    const [css, text] = cell.verdict;
    parts.push(make("p", { className: "judged" }, make("span", { className: `mark ${css}` }, text), " ", cell.reason));
  }
  parts.push(definitions(cell.facts));
  if (cell.runs.length) {
    parts.push(make("h3", {}, "Runs behind it"), ...cell.runs.map(trialDetails));
  }
  parts.push(make("p", {}, make("a", { href: `#${id}` }, "Link to this number")));
  document.getElementById("cell-body").replaceChildren(...parts);
}

function open(id) {
  const td = document.getElementById(id);
  for (let around = td.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  fill(id);
  if (!dialog.open) dialog.showModal();
  dialog.dataset.cell = id;
  dialog.scrollTop = 0;
  history.replaceState(null, "", `#${id}`);
}

function openFromAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!Object.hasOwn(data.cells, id) || (dialog.open && dialog.dataset.cell === id)) return;
  document.getElementById(id).scrollIntoView({ block: "center", inline: "center" });
  open(id);
}

function closed() {
  history.replaceState(null, "", location.pathname + location.search);
  const button = document.getElementById(dialog.dataset.cell)?.querySelector("button");
  if (button) take(button);
}

// One cell of a table is a stop of the Tab key, arrows lead to the others.
function take(button) {
  for (const other of button.closest("table").querySelectorAll("td > button")) other.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

function neighbour(td, key) {
  const cells = [...td.parentElement.cells].filter((cell) => cell.querySelector("button"));
  const place = cells.indexOf(td);
  const column = td.cellIndex;
  const rows = [...td.closest("table").rows].filter((row) => row.cells[column]?.querySelector("td > button")
    && !row.closest("[hidden]"));
  const line = rows.indexOf(td.parentElement);
  return {
    ArrowLeft: cells[place - 1], ArrowRight: cells[place + 1], Home: cells[0], End: cells.at(-1),
    ArrowUp: rows[line - 1]?.cells[column], ArrowDown: rows[line + 1]?.cells[column],
  }[key];
}

function onKey(event) {
  const td = event.target.closest("td");
  if (!td || event.ctrlKey || event.altKey || event.metaKey) return;
  const next = neighbour(td, event.key)?.querySelector("button");
  if (!next) return;
  event.preventDefault();
  take(next);
}

function prepareCells() {
  const tables = new Set();
  for (const id of Object.keys(data.cells)) {
    const td = document.getElementById(id);
    if (!td) continue;
    const table = td.closest("table");
    const button = make("button", { type: "button", className: "open", tabIndex: tables.has(table) ? -1 : 0 });
    button.setAttribute("aria-haspopup", "dialog");
    button.append(...td.childNodes);
    button.addEventListener("click", () => { take(button); open(id); });
    td.append(button);
    tables.add(table);
  }
  for (const table of tables) table.addEventListener("keydown", onKey);
  dialog.addEventListener("close", closed);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.getElementById("cell-close").addEventListener("click", () => dialog.close());
  addEventListener("hashchange", openFromAddress);
  openFromAddress();
}

// --- sorting

const SIDES = ["the paper's", "ours", "the difference"];

function sortable(table) {
  const heads = [...table.querySelectorAll("th[data-column]")];
  const rows = [...table.tBodies].flatMap((body) => {
    const group = body.querySelector(".group")?.textContent ?? "";
    return [...body.rows].filter((row) => !row.classList.contains("group")).map((row) => ({ row, body, group }));
  });
  const bodies = [...table.tBodies];
  const values = (row, column) => data.cells[row.querySelectorAll("td")[column]?.id]?.sort ?? [null, null, null];
  const known = SIDES.map((_, side) => side).filter((side) =>
    rows.some(({ row }) => heads.some((_, column) => values(row, column)[side] !== null)));
  if (rows.length < 2 || !known.length) return;

  const choice = make("select", {}, ...known.map((side) => make("option", { value: side }, SIDES[side])));
  choice.value = known.includes(1) ? 1 : known[0];
  const said = make("output", {});
  said.setAttribute("aria-live", "polite");
  const label = make("label", {}, "Headings sort by ", choice);
  const state = { head: null, direction: 0 };
  const sorted = make("tbody", {});
  for (const { row, group } of rows) {
    if (group) row.cells[0].append(make("span", { className: "of-group" }, group));
  }

  function show() {
    for (const head of heads) head.removeAttribute("aria-sort");
    if (!state.direction) {
      sorted.remove();
      for (const body of bodies) body.hidden = false;
      for (const { row, body } of rows) body.append(row);
      said.textContent = "In the order of the paper.";
      return;
    }
    const column = Number(state.head.dataset.column);
    const side = Number(choice.value);
    const order = rows.map(({ row }) => ({ row, value: values(row, column)[side] }));
    order.sort((a, b) => (a.value === null) - (b.value === null) || state.direction * (a.value - b.value));
    for (const body of bodies) body.hidden = true;
    table.append(sorted);
    sorted.append(...order.map(({ row }) => row));
    const way = state.direction < 0 ? "descending" : "ascending";
    state.head.setAttribute("aria-sort", way);
    said.textContent = `Sorted by ${state.head.textContent}, ${SIDES[side]}, ${way}.`;
  }

  for (const head of heads) {
    const button = make("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      // the highest first, then the lowest, then the order of the paper
      state.direction = state.head === head ? { "-1": 1, 1: 0, 0: -1 }[state.direction] : -1;
      state.head = head;
      show();
    });
    head.append(button);
  }
  choice.addEventListener("change", show);
  const bar = make("div", { className: "sorting" }, ...(known.length > 1 ? [label] : []), said);
  table.parentElement.before(bar);
}

// --- claims

function filterable(form) {
  const items = [...form.parentElement.querySelectorAll(".claim")];
  const said = form.querySelector("output");
  function apply() {
    const wanted = Object.fromEntries(new FormData(form));
    for (const item of items) {
      item.hidden = Object.entries(wanted).some(([name, value]) => value && item.dataset[name] !== value);
    }
    said.textContent = `${items.filter((item) => !item.hidden).length} of ${items.length} shown`;
  }
  // a link to a claim shows it, whatever the filter hides
  function reveal() {
    const item = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!items.includes(item) || !item.hidden) return;
    form.reset();
    apply();
    item.scrollIntoView();
  }
  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", reveal);
  apply();
  reveal();
}

// --- entries to copy

function copyable(box) {
  const text = box.querySelector("pre");
  const button = make("button", { type: "button", className: "copy" }, "Copy");
  const said = make("span", { role: "status" });
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Selected: copy it with the keyboard.";
    }
  });
  box.prepend(button, said);
}

if (dialog) prepareCells();
document.querySelectorAll("table.paper-table").forEach(sortable);
document.querySelectorAll("form.filter").forEach(filterable);
document.querySelectorAll(".copyable").forEach(copyable);
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details.legend, details.intervals")) part.open = true;
});
