// Pages of the recommenders: plots of dots with intervals, and what a list shares with the lists beside it.

(() => {
  "use strict";

  const charts = new Map(), watched = new WeakSet();
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const ROW = 38, EDGES = 84, APART = 6, NARROW = 480;

  function look() {
    const dark = document.documentElement.classList.contains("dark");
    return {
      text: dark ? "#cbd5e1" : "#475569", line: dark ? "#334155" : "#e2e8f0", zero: dark ? "#94a3b8" : "#64748b",
      panel: dark ? "#1e293b" : "#ffffff", plain: dark ? "#a78bfa" : "#7c3aed", muted: dark ? "#94a3b8" : "#64748b",
      good: color("--b-good"), bad: color("--b-bad"),
    };
  }

  // Every point as [value, row, shift in pixels, low, high], so that two of one line stand one above the other.
  function points(rows) {
    return rows.flatMap((row, at) => row.points.map((point, n) => ({
      point, row, value: [point.value, at, (n - (row.points.length - 1) / 2) * APART * 2, point.low, point.high],
    })));
  }

  function span(data, all) {
    const known = all.flatMap(({ point }) => [point.value, point.low, point.high]).concat(data.reference ? data.reference.value : 0)
      .filter((value) => Number.isFinite(value));
    const low = Math.min(0, ...known), high = Math.max(0, ...known), room = (high - low || 1) * 0.06;
    return [low < 0 ? low - room : 0, high + room];
  }

  function drawn(l, all) {
    return (params, api) => {
      const { point, value } = all[params.dataIndex];
      const fill = l[point.tone] || l.plain;
      const [x, middle] = api.coord([value[0], value[1]]), y = middle + value[2];
      const children = [{ type: "circle", shape: { cx: x, cy: y, r: 4.5 }, style: { fill } }];
      if (Number.isFinite(point.low)) {
        const [from] = api.coord([point.low, value[1]]), [to] = api.coord([point.high, value[1]]);
        children.unshift({ type: "rect", shape: { x: from, y: y - 3.5, width: Math.max(to - from, 2), height: 7, r: 3.5 }, style: { fill, opacity: 0.35 } });
      }
      return { type: "group", children };
    };
  }

  function option(data, narrow) {
    const l = look(), rows = [...data.rows].reverse(), all = points(rows), [min, max] = span(data, all);
    return {
      textStyle: { fontFamily: "inherit", color: l.text },
      animation: false,
      grid: { left: 8, right: 20, top: 28, bottom: data.axis ? 44 : 28, containLabel: true },
      tooltip: {
        backgroundColor: l.panel, borderColor: l.line, textStyle: { color: l.text }, confine: true,
        formatter: ({ dataIndex: at }) => `<b>${escape(all[at].row.label)}</b>${all[at].point.note ? `<br>${escape(all[at].point.note)}` : ""}<br>${escape(all[at].point.text)}`,
      },
      xAxis: {
        type: "value", min, max, name: data.axis, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: l.text }, splitNumber: narrow ? 3 : 6,
        axisLine: { lineStyle: { color: l.line } }, splitLine: { lineStyle: { color: l.line } }, axisLabel: { color: l.text, showMaxLabel: false, hideOverlap: true },
      },
      yAxis: {
        type: "category", data: rows.map((row) => row.label), axisTick: { show: false }, axisLine: { lineStyle: { color: l.line } },
        axisLabel: { color: l.text, width: narrow ? 110 : 220, overflow: "break", lineHeight: 14 },
      },
      series: [{
        type: "custom", data: all.map(({ value }) => value), encode: { x: [0, 3, 4], y: 1 }, renderItem: drawn(l, all), z: 5,
        markLine: data.reference ? {
          symbol: "none", silent: true, lineStyle: { color: l.zero, type: "dashed" }, data: [{ xAxis: data.reference.value }],
          label: { show: Boolean(data.reference.label), color: l.text, formatter: () => data.reference.label, position: "end" },
        } : undefined,
      }],
    };
  }

  const read = (box) => JSON.parse(document.getElementById(box.dataset.plot).textContent);

  function makeRoom(box) {
    const bands = read(box).rows.reduce((sum, row) => sum + Math.max(1, row.points.length * 0.55), 0);
    box.style.height = `${Math.round(bands * ROW) + EDGES}px`;
  }

  function draw(box) {
    makeRoom(box);
    if (!charts.has(box)) charts.set(box, echarts.init(box, null, { renderer: "svg" }));
    charts.get(box).resize();
    charts.get(box).setOption(option(read(box), box.clientWidth < NARROW), true);
  }

  // Draws anew those that were looked at; the others are drawn when they are.
  function drawAll() {
    for (const box of charts.keys()) if (!box.isConnected) { charts.get(box).dispose(); charts.delete(box); }
    for (const box of document.querySelectorAll("[data-plot]")) {
      if (charts.has(box)) draw(box);
      else if (!watched.has(box)) { watched.add(box); makeRoom(box); window.bespokeCharts.whenSeen(box, () => draw(box)); }
    }
  }

  // The same item in the other lists is marked while one looks at it.
  function mark(event) {
    const item = event.target.closest?.("[data-item]")?.dataset.item;
    for (const entry of document.querySelectorAll("[data-item]")) entry.classList.toggle("rc-same", entry.dataset.item === item);
  }

  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    window.addEventListener("resize", drawAll);
    new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    document.addEventListener("mouseover", mark);
    document.addEventListener("htmx:afterSettle", drawAll);
    for (const failed of ["htmx:responseError", "htmx:sendError"]) {
      document.addEventListener(failed, ({ detail: { elt } }) => { if (elt.dataset.failed) elt.textContent = elt.dataset.failed; });
    }
  });
})();
