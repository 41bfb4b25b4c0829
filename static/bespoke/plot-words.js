// What a chart shows, for whoever cannot see it or wants its numbers: a few words, and a table that opens.

(() => {
  "use strict";

  const words = document.currentScript.dataset;
  const say = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  const listed = (names) => new Intl.ListFormat(document.documentElement.lang, { type: "conjunction" }).format(names);

  function made(name, attributes = {}, ...inside) {
    const one = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    one.append(...inside);
    return one;
  }

  // On which side of the line whole intervals lie; without a line, each value.
  function sayRanges({ rows, write, line, isLikely }) {
    if (isLikely) return rows.map((row) => say(words.likely, { name: row.name, value: write(row.value), low: write(row.low), high: write(row.high) }));
    if (!line) return rows.map((row) => `${row.name}: ${row.text ?? write(row.value)}.`);
    const sideOf = ({ low, high }) => ((low ?? -Infinity) > line.at ? "above" : (high ?? Infinity) < line.at ? "below" : "unclear");
    return ["above", "below", "unclear"].flatMap((side) => {
      const names = rows.filter((row) => sideOf(row) === side).map((row) => row.name);
      return names.length ? [say(words[side], { line: line.label || line.at, names: listed(names) })] : [];
    });
  }

  // Of each line where it begins, where it ends, and between what it lay if it went beyond both.
  function saySeries({ labels, names, at, write, trends = names.length }) {
    return names.slice(0, trends).flatMap((name, k) => {
      const known = labels.map((label, n) => [at(n, k), label]).filter(([value]) => Number.isFinite(value));
      if (!known.length) return [];
      const values = known.map(([value]) => value), [[first, start]] = known, [last, end] = known.at(-1);
      const least = Math.min(...values), most = Math.max(...values);
      const told = say(known.length > 1 ? words.trend : words.point, { name, first: write(first), start, last: write(last), end });
      const isInside = least < Math.min(first, last) || most > Math.max(first, last);
      return isInside ? [told, say(words.range, { least: write(least), most: write(most) })] : [told];
    });
  }

  const rangeCells = ({ rows, write }) => rows.map((row) => [row.name, write(row.value), row.low === null ? "−∞" : write(row.low), row.high === null ? "∞" : write(row.high)]);

  const seriesCells = ({ labels, names, at, write, cell }) =>
    labels.map((label, n) => [label, ...names.map((_name, k) => (Number.isFinite(at(n, k)) ? (cell ? cell(n, k) : write(at(n, k))) : "–"))]);

  function table(given) {
    const [heads, rows] = given.rows ? [[words.value, words.low, words.high], rangeCells(given)] : [given.names, seriesCells(given)];
    const head = made("tr", {}, made("td"), ...heads.map((text) => made("th", { scope: "col", class: "b-right" }, text)));
    const body = rows.map(([label, ...cells]) => made("tr", {}, made("th", { scope: "row" }, label), ...cells.map((text) => made("td", { class: "b-right" }, text))));
    return made("table", { class: "b-table" }, made("thead", {}, head), made("tbody", {}, ...body));
  }

  // `given` is of ranges {rows: [{name, value, low, high, text}], write, line: {at, label}, isLikely} or of series
  // {labels, names, at(label, name) → number or null, write, cell, trends}. With `hasTable` the page shows the numbers itself.
  function describe(box, given) {
    const id = `words-${box.id || box.dataset.plot}`, old = document.getElementById(id);
    const text = made("p", { id, class: "b-muted" }, (given.rows ? sayRanges(given) : saySeries(given)).join(" "));
    box.setAttribute("aria-describedby", id);
    if (given.hasTable) {
      text.hidden = true;
      if (old) old.replaceWith(text); else box.parentElement.append(text);
      return;
    }
    const labels = box.hasAttribute("aria-label") ? { "aria-label": box.getAttribute("aria-label") } : { "aria-labelledby": box.getAttribute("aria-labelledby") };
    const region = made("div", { class: "b-table-wrap", tabindex: "0", role: "region", ...labels }, table(given));
    if (old) { old.nextElementSibling.replaceWith(region); old.replaceWith(text); return; }
    box.parentElement.append(made("details", { class: "b-numbers" }, made("summary", { class: "b-btn b-btn-small" }, words.numbers), text, region));
  }

  window.bespokeWords = { describe };
})();
