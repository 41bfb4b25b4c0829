// What stands in a plot: dots with intervals, lines, bands and columns; what the pointer tells of them; the plot as a picture.

(() => {
  "use strict";

  const { node, show, shown, telling, told } = window.bespokePlot;
  const series = (n) => `var(--b-series-${(n % 5) + 1})`;
  const signed = (text, value) => `${value > 0 ? "+" : ""}${text}`.replace("-", "−");
  const rounded = (value, digits = 3) => Number(value.toPrecision(digits));

  // From the smallest to the largest with some room, and always with zero in it.
  function span(values, share = 0.08) {
    const known = values.filter(Number.isFinite), low = Math.min(0, ...known), high = Math.max(0, ...known);
    const room = (high - low || 1) * share;
    return { min: low < 0 ? low - room : 0, max: high > 0 ? high + room : 0 };
  }

  const joined = (points) => points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

  const line = (points, color, { dash, width = 2 } = {}) =>
    node("path", { d: joined(points), fill: "none", style: `stroke: ${color}`, "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round" });

  const area = (above, under, color, opacity) =>
    node("path", { d: `${joined([...above, ...[...under].reverse()])}Z`, style: `fill: ${color}`, "fill-opacity": opacity });

  // A point small to see and large to hit.
  function dot(x, y, color, lines, r = 3) {
    return telling(node("g", {}, node("circle", { cx: x, cy: y, r: 11, class: "pl-hit" }), node("circle", { cx: x, cy: y, r, style: `fill: ${color}` })), lines);
  }

  function column(x, y, width, height, color, opacity, lines) {
    const sizes = { x: x - width / 2, y: Math.min(y, y + height), width, height: Math.abs(height), rx: Math.min(2, width / 4) };
    return telling(node("rect", { ...sizes, style: `fill: ${color}`, "fill-opacity": opacity }), lines);
  }

  const tones = { good: "var(--b-good)", bad: "var(--b-bad)", muted: "var(--b-muted)" };

  // How far the axis goes: an end beyond half as much again as three quarters of all ends is cut off at the edge, since
  // one interval that tells nothing would else squeeze all others to dots.
  function reach(points) {
    const ends = points.flatMap((one) => [one.low, one.high]).filter(Number.isFinite).map(Math.abs).sort((a, b) => a - b);
    const far = Math.max(1.5 * (ends[Math.floor(ends.length * 0.75)] ?? 0), ...points.map((one) => 1.2 * Math.abs(one.value)));
    return points.flatMap((one) => [one.value, one.low, one.high]).map((end) => (Number.isFinite(end) ? Math.min(Math.max(end, -far), far) : end));
  }

  // Rows of [{label, points: [{value, low, high, tone, lines, note, text}]}]: dots with their intervals, where null has no end.
  // `write` says a value more closely than the axis does by `show`.
  function intervals({ rows, name, show: tick, write = tick, reference, hasTable }) {
    const all = rows.flatMap((row) => row.points);
    const x = { ...span([...reach(all), reference?.x ?? 0]), show: tick, name };
    const bands = rows.reduce((sum, row) => sum + Math.max(1, row.points.length * 0.55) + ([row.label].flat().length - 1) * 0.25, 0);
    const named = (row, { note }) => [row.label, note || []].flat().join(" · ");
    return {
      words: {
        rows: rows.flatMap((row) => row.points.map((point) => ({ ...point, name: named(row, point) }))),
        write, line: reference && { at: reference.x, label: reference.label }, hasTable,
      },
      height: Math.round(bands * 38) + (name ? 64 : 46) + (reference?.label ? 16 : 0), x, y: { labels: rows.map((row) => row.label) }, reference,
      marks: ({ x: across, y }) => rows.flatMap((row, at) => row.points.map((point, n) => {
        const color = tones[point.tone] || series(0), middle = y.at(at) + (n - (row.points.length - 1) / 2) * 12;
        const from = across.at(Math.max(point.low ?? x.min, x.min)), to = across.at(Math.min(point.high ?? x.max, x.max));
        const bar = node("rect", { x: from, y: middle - 4, width: Math.max(to - from, 2), height: 8, rx: 4, style: `fill: ${color}`, "fill-opacity": 0.35 });
        const mark = node("circle", { cx: across.at(point.value), cy: middle, r: 5.5, style: `fill: ${color}` });
        return telling(node("g", {}, ...(point.low === undefined ? [] : [bar]), mark), point.lines);
      })),
    };
  }

  // Where a curve of likelihoods is highest, and between what 95 % of the ground below it lies.
  function likeliest({ variant: name, points }) {
    let sum = 0;
    const grown = points.map(([x, y], n) => (sum += n ? ((x - points[n - 1][0]) * (y + points[n - 1][1])) / 2 : 0));
    const where = (share) => points[grown.findIndex((part) => part >= sum * share)][0];
    return { name, value: points.reduce((best, one) => (one[1] > best[1] ? one : best))[0], low: where(0.025), high: where(0.975) };
  }

  // Curves of how likely each value is, with the ground below them.
  function curves(given, name, reference) {
    const points = given.flatMap((curve) => curve.points), across = [...points.map(([x]) => x), reference?.x ?? points[0][0]];
    const write = (v) => signed(rounded(v), v), x = { min: Math.min(...across), max: Math.max(...across), show: write, name };
    return {
      words: { rows: given.map(likeliest), write, isLikely: true },
      height: 300, reference, x, y: { min: 0, max: Math.max(...points.map(([, y]) => y)) * 1.05, isHidden: true },
      names: given.map((curve, n) => ({ name: curve.variant, color: series(n) })),
      marks: ({ x: at, y, floor }) => given.flatMap((curve, n) => {
        const placed = curve.points.map(([a, b]) => [at.at(a), y.at(b)]);
        return [area(placed, placed.map(([a]) => [a, floor]), series(n), 0.14), line(placed, series(n))];
      }),
    };
  }

  const tip = document.createElement("div");
  tip.className = "pl-tip";
  tip.hidden = true;

  function tell(event) {
    let mark = event.target;
    while (mark && !told.has(mark)) mark = mark.parentNode;
    tip.hidden = !mark;
    if (!mark) return;
    document.body.append(tip);
    tip.replaceChildren(...told.get(mark).map((text, n) => Object.assign(document.createElement(n ? "div" : "b"), { textContent: text })));
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  }

  for (const kind of ["pointermove", "pointerdown"]) document.addEventListener(kind, tell);
  for (const kind of ["scroll", "keydown"]) document.addEventListener(kind, () => { tip.hidden = true; }, { capture: true, passive: true });

  // A chart as a picture for slides: PNG at twice its size. A picture knows no style sheet of the page.
  async function savePicture(box, name) {
    const svg = box.querySelector("svg"), copy = svg.cloneNode(true), { width, height } = svg.viewBox.baseVal;
    const marks = [...svg.querySelectorAll("*")];
    copy.querySelectorAll("*").forEach((one, n) => {
      const style = getComputedStyle(marks[n]);
      for (const key of ["fill", "stroke", "stroke-width", "stroke-dasharray"]) one.style.setProperty(key, style.getPropertyValue(key));
      one.style.font = "12px system-ui, sans-serif";
    });
    const drawing = Object.assign(new Image(), { src: `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}` });
    await drawing.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
    const pen = canvas.getContext("2d");
    pen.fillStyle = getComputedStyle(box.closest(".b-card")).backgroundColor;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(drawing, 0, 0, canvas.width, canvas.height);
    Object.assign(document.createElement("a"), { href: canvas.toDataURL("image/png"), download: `${name}.png` }).click();
  }

  Object.assign(window.bespokePlot, { area, column, curves, dot, intervals, line, rounded, savePicture, series, show, shown, signed, span });
})();
