// Dots with intervals wherever a page has a [data-plot], also one that comes later.

(() => {
  "use strict";

  const { intervals, show } = window.bespokePlot;
  const number = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumSignificantDigits: 3 });

  // An interval without ends is not drawn.
  function spec(data) {
    const told = (row, { note, text }) => [[row.label], note ? [note] : [], [text]].flat();
    return intervals({
      name: data.axis, hasTable: true, show: (value) => number.format(value).replace("-", "−"),
      reference: data.reference && { x: data.reference.value, label: data.reference.label },
      rows: data.rows.map((row) => ({
        label: row.label,
        points: row.points.map((point) => ({ ...point, ...(Number.isFinite(point.low ?? point.high) ? {} : { low: undefined }), lines: told(row, point) })),
      })),
    });
  }

  function drawAll() {
    for (const box of document.querySelectorAll("[data-plot]")) {
      if (!box.firstChild) show(box, spec(JSON.parse(document.getElementById(box.dataset.plot).textContent)));
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    document.addEventListener("htmx:afterSettle", drawAll);
  });
})();
