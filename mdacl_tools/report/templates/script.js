"use strict";

// Tables: a click on a head sorts by its column, numbers by their exact value.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => sortBy(table, heads, column));
  });
}

function sortBy(table, heads, column) {
  const first = heads[column].getAttribute("aria-sort");
  const numbers = [...table.tBodies[0].rows].some((row) => row.cells[column].dataset.value !== undefined);
  // Numbers begin with the greatest, words with A.
  const start = numbers ? "descending" : "ascending";
  const other = numbers ? "ascending" : "descending";
  const order = first === start ? other : start;
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => compare(a.cells[column], b.cells[column], sign));
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", order);
  table.tBodies[0].append(...rows);
}

function compare(a, b, sign) {
  const x = a.dataset.value, y = b.dataset.value;
  if (x === undefined && y === undefined) {
    return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  }
  if (x === undefined || y === undefined) return x === undefined ? 1 : -1; // unknown: last
  return sign * (Number(x) - Number(y));
}

// The course: the pointer or the arrow keys read a moment.
const chart = document.getElementById("course-chart");
if (chart) {
  const data = JSON.parse(document.getElementById("course-data").textContent);
  const cursor = document.getElementById("cursor"), readout = document.getElementById("readout");
  let at = -1;

  const show = (index) => {
    at = Math.max(0, Math.min(data.x.length - 1, index));
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, data.x[at]);
    cursor.setAttribute("visibility", "visible");
    const mdi = data.mdi[at], [rgb, thermal] = data.gates[at];
    const leads = Math.abs(mdi) < 0.1 ? "both alike" : mdi > 0 ? "RGB leads" : "thermal leads";
    const gate = (value) => (value < 0 ? "absent" : value.toFixed(2));
    const parts = [
      `${data.t[at].toFixed(2)} s`,
      `MDI ${mdi < 0 ? "\u2212" : "+"}${Math.abs(mdi).toFixed(2)} (${leads})`,
      `gates: RGB ${gate(rgb)}, thermal ${gate(thermal)}`,
      `${data.detections[at]} detections`,
    ];
    if (data.events[at]) parts.push(data.events[at]);
    readout.textContent = parts.join(" \u00b7 ");
  };

  const nearest = (x) => {
    let best = 0;
    data.x.forEach((value, index) => {
      if (Math.abs(value - x) < Math.abs(data.x[best] - x)) best = index;
    });
    return best;
  };

  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    show(nearest(((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width));
  });
  chart.addEventListener("focus", () => at < 0 && show(0));
  chart.addEventListener("keydown", (event) => {
    const last = data.x.length - 1;
    const page = Math.max(1, Math.round(last / 20));
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - page, PageDown: at + page, Home: 0, End: last };
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(moves[event.key]);
  });
}
