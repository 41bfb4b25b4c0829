// Charts as SVG: a frame of axes around marks that the caller draws, with a legend and what the pointer tells.
// Colors are the style sheet's, so neither the dark look nor paper needs them drawn anew. Sizes in CSS pixels.

(() => {
  "use strict";

  const GAP = 8, LINE = 15, EDGE = 14, KEY = 18, MOST_TICKS = 7;
  const shown = new Map(); // what to draw, by box
  const told = new WeakMap(); // the lines that the pointer tells, by mark
  const pen = document.createElement("canvas").getContext("2d");
  const widthOf = (text) => pen.measureText(text).width;

  function node(name, attributes = {}, ...inside) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  }

  function telling(mark, lines) {
    told.set(mark, lines);
    return mark;
  }

  // At most `most` lines no wider than `width`; what does not fit ends with a sign for it.
  function fold(text, width, most = 2) {
    const lines = [""];
    for (const word of text.split(/(?<=[\s\u3000-\u9fff])|\n/)) {
      if (lines.at(-1) && widthOf(lines.at(-1) + word) > width) lines.push("");
      lines[lines.length - 1] += word;
    }
    const kept = lines.slice(0, most);
    if (lines.length > most) kept[most - 1] += "…";
    return kept.map((line) => {
      let cut = line;
      while (cut.length > 1 && widthOf(cut) > width) cut = `${cut.replace(/…$/, "").slice(0, -1)}…`;
      return cut.trim();
    });
  }

  // Round numbers between two, at most `most` and a few.
  function ticksBetween(min, max, most, isWhole) {
    const rough = (max - min || 1) / most, power = 10 ** Math.floor(Math.log10(rough));
    let step = power * [1, 2, 2.5, 5, 10].find((n) => n * power >= rough * 0.999);
    if (isWhole) step = Math.max(1, Math.ceil(step));
    const ticks = [];
    for (let n = Math.ceil(min / step - 1e-9); n * step <= max + step * 1e-9; n += 1) ticks.push(Number((n * step).toPrecision(12)));
    return ticks;
  }

  // An axis is {labels} of categories, or {min, max, show, isWhole, ticks} of numbers. `at` of a category is its middle.
  function scaleOf(axis, from, to) {
    const count = axis.labels?.length;
    const at = count ? (n) => from + ((n + 0.5) * (to - from)) / count : (value) => from + ((value - axis.min) / (axis.max - axis.min || 1)) * (to - from);
    return { at, band: count ? Math.abs(to - from) / count : 0 };
  }

  function ticksOf(axis, most) {
    if (axis.labels) return axis.labels.map((label, value) => ({ value, label }));
    const values = axis.ticks ? axis.ticks(most) : ticksBetween(axis.min, axis.max, most, axis.isWhole);
    return values.map((value) => ({ value, label: axis.show(value) }));
  }

  const texted = (x, y, text, anchor = "middle") => node("text", { x, y, "text-anchor": anchor, class: "pl-text" }, text);

  // Rows of names with their colors; how high they are.
  function legend(names, width) {
    const group = node("g");
    let x = GAP, y = 0;
    for (const { name, color, dash } of names) {
      const text = fold(name, width - 4 * GAP - KEY, 1)[0], room = KEY + GAP + widthOf(text) + 2 * GAP;
      if (x > GAP && x + room > width) { x = GAP; y += LINE + 4; }
      group.append(node("line", { x1: x, x2: x + KEY, y1: y + 8, y2: y + 8, style: `stroke: ${color}`, "stroke-width": dash ? 2 : 8, "stroke-dasharray": dash, "stroke-linecap": dash ? "butt" : "round" }));
      group.append(texted(x + KEY + GAP, y + 12, text, "start"));
      x += room;
    }
    return { group, height: names.length ? y + LINE + GAP : 0 };
  }

  function besideRows({ y }, rows, right, left) {
    const group = node("g");
    for (const { value, label } of rows) {
      const lines = [label].flat(), middle = y.at(value);
      lines.forEach((text, n) => group.append(texted(left - GAP, middle + 4 + (n - (lines.length - 1) / 2) * LINE, text, "end")));
    }
    return group;
  }

  // Labels under the plot, as many as there is room for.
  function below(axis, scale, floor, width, most) {
    const ticks = ticksOf(axis, most), group = node("g");
    let end = -Infinity;
    for (const { value, label } of ticks) {
      const x = scale.at(value), half = widthOf(label) / 2;
      if (x - half < end + GAP || x - half < 0 || x + half > width) continue;
      group.append(texted(x, floor + LINE + 2, label));
      end = x + half;
    }
    return group;
  }

  function rules(axis, most, make) {
    return node("g", { class: "pl-grid" }, ...(axis.labels ? [] : ticksOf(axis, most).map(({ value }) => make(value))));
  }

  // `spec`: height, x, y (null: not shown), y2, names, reference {x | y, label}, marks(scales) → nodes, words (see plot-words).
  function draw(box) {
    const spec = shown.get(box), width = box.clientWidth;
    if (!spec || !width) return;
    pen.font = `12px ${getComputedStyle(box).fontFamily}`;
    const key = legend(spec.names || [], width);
    const sideRoom = (axis) => (axis && !axis.isHidden ? GAP + Math.max(0, ...ticksOf(axis, 5).flatMap(({ label }) => [label].flat().map(widthOf))) : GAP);
    const folded = spec.y.labels ? { ...spec.y, labels: spec.y.labels.map((lines) => [lines].flat().flatMap((one) => fold(one, Math.min(220, width * 0.34), Array.isArray(lines) ? 1 : 2))) } : spec.y;
    const left = sideRoom(folded) + GAP, right = width - (spec.y2 ? sideRoom(spec.y2) + GAP : EDGE);
    const top = spec.reference?.label ? LINE + GAP : GAP, floor = spec.height - key.height - LINE - GAP - (spec.x.name ? LINE + 4 : 0);
    const most = Math.max(2, Math.min(MOST_TICKS, Math.floor((right - left) / 70)));
    const rows = folded.labels ? scaleOf(folded, top, floor) : scaleOf(folded, floor, top);
    const scales = { x: scaleOf(spec.x, left, right), y: rows, y2: spec.y2 && scaleOf(spec.y2, floor, top), left, right, top, floor };
    const svg = node("svg", { width, height: spec.height, viewBox: `0 0 ${width} ${spec.height}` });
    const across = (value) => node("line", { x1: left, x2: right, y1: scales.y.at(value), y2: scales.y.at(value) });
    const upright = (value) => node("line", { y1: top, y2: floor, x1: scales.x.at(value), x2: scales.x.at(value) });
    if (!folded.isHidden) svg.append(rules(folded, 5, across), besideRows(scales, ticksOf(folded, 5), right, left));
    if (folded.labels) svg.append(rules(spec.x, most, upright));
    if (spec.y2) for (const { value, label } of ticksOf(spec.y2, 5)) svg.append(texted(right + GAP, scales.y2.at(value) + 4, label, "start"));
    svg.append(below(spec.x, scales.x, floor, width, most));
    if (spec.x.name) svg.append(texted((left + right) / 2, floor + 2 * LINE + 6, spec.x.name));
    svg.append(node("line", { class: "pl-axis", x1: left, x2: right, y1: floor, y2: floor }), ...spec.marks(scales));
    if (spec.reference) {
      const { x, y, label } = spec.reference, line = y === undefined ? upright(x) : across(y);
      line.setAttribute("class", "pl-reference");
      svg.append(line);
      if (label) svg.append(texted(Math.min(Math.max(scales.x.at(x), widthOf(label) / 2), width - widthOf(label) / 2), LINE, label));
    }
    key.group.setAttribute("transform", `translate(0 ${spec.height - key.height + GAP})`);
    svg.append(key.group);
    box.replaceChildren(svg);
  }

  const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (target.firstChild?.getAttribute?.("width") !== String(target.clientWidth)) draw(target);
  }));

  // Draws in the box, now and whenever its width changes (it has none while the page is hidden).
  function show(box, spec) {
    for (const old of shown.keys()) if (!old.isConnected) { watcher.unobserve(old); shown.delete(old); }
    shown.set(box, spec);
    box.style.height = `${spec.height}px`;
    draw(box);
    bespokeWords.describe(box, spec.words);
    watcher.observe(box);
  }

  // Labels were measured in another font until the page's own came.
  document.fonts?.ready.then(() => shown.forEach((_spec, box) => draw(box)));
  window.bespokePlot = { node, show, shown, telling, told };
})();
