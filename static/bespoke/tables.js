// Names each cell of a stacking table after its column, for narrow screens where rows become cards. The roles are
// said aloud because `display: block` takes them away.
(() => {
  const ROLES = { THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };

  function name(table) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    table.setAttribute("role", "table");
    for (const part of table.querySelectorAll("thead, tbody, tr, td")) part.setAttribute("role", ROLES[part.tagName]);
    for (const head of table.querySelectorAll("th")) head.setAttribute("role", head.scope === "row" ? "rowheader" : "columnheader");
    for (const row of table.tBodies[0]?.rows ?? []) [...row.cells].forEach((cell, at) => { cell.dataset.label = heads[at] ?? ""; });
  }

  const nameAll = (root) => root.querySelectorAll("table.b-stack").forEach(name);
  document.addEventListener("DOMContentLoaded", () => nameAll(document));
  document.addEventListener("htmx:load", (event) => nameAll(event.target));
})();
