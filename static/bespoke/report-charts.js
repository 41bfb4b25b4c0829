// The plots of a report, from its data: `draw` makes room for all of them, and draws those that are looked at.
// `charts` are those drawn, by name.

(() => {
  "use strict";

  const { savePicture, whenSeen } = window.bespokeCharts;
  const charts = {}, watched = new Set();
  let options = {};
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const percent = (value, digits = 0) => `${value > 0 ? "+" : ""}${(value * 100).toFixed(digits)} %`.replace("-", "−");
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

  function look() {
    const dark = document.documentElement.classList.contains("dark");
    return {
      text: dark ? "#cbd5e1" : "#475569", line: dark ? "#334155" : "#e2e8f0", zero: dark ? "#94a3b8" : "#64748b",
      good: color("--b-good"), bad: color("--b-bad"),
      series: dark ? ["#a78bfa", "#22d3ee", "#fbbf24", "#f472b6", "#4ade80"] : ["#7c3aed", "#0891b2", "#d97706", "#db2777", "#15803d"],
      panel: dark ? "#1e293b" : "#ffffff",
    };
  }

  const base = (l) => ({
    textStyle: { fontFamily: "inherit", color: l.text },
    tooltip: { backgroundColor: l.panel, borderColor: l.line, textStyle: { color: l.text }, confine: true },
    animationDuration: 300,
    color: l.series,
  });

  function axis(l, extra) {
    return {
      axisLine: { lineStyle: { color: l.line } }, axisTick: { show: false }, axisLabel: { color: l.text },
      splitLine: { lineStyle: { color: l.line } }, ...extra,
    };
  }

  // The range shown: all intervals with a bound, never wider than the estimates need by far.
  function span(values) {
    const known = values.filter((value) => value !== null && Number.isFinite(value));
    const low = Math.min(0, ...known), high = Math.max(0, ...known);
    const room = (high - low || 1) * 0.08;
    return [low - room, high + room];
  }

  const plain = (value, digits = 3) => `${value > 0 ? "+" : ""}${Number(value.toPrecision(digits))}`.replace("-", "−");

  // Dots with bars. `show` writes a value, `name` stands under the axis.
  function forest(given, l, name, show) {
    const rows = [...given].reverse();
    const [min, max] = span(rows.flatMap((row) => [row.low, row.high, row.value]));
    const tone = (row) => l[row.tone] || l.series[0];
    return {
      ...base(l),
      grid: { left: 12, right: 24, top: 12, bottom: 36, containLabel: true },
      xAxis: axis(l, { type: "value", min, max, name, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: l.text }, axisLabel: { color: l.text, hideOverlap: true, formatter: (v) => show(v, true), showMinLabel: false, showMaxLabel: false } }),
      yAxis: axis(l, { type: "category", data: rows.map((row) => `${row.variant}\n${row.metric}`), axisLabel: { color: l.text, lineHeight: 16, width: Math.min(180, window.innerWidth * 0.34), overflow: "truncate" } }),
      tooltip: { ...base(l).tooltip, formatter: ({ dataIndex: i }) => `<b>${escape(rows[i].variant)}</b><br>${escape(rows[i].metric)}: ${show(rows[i].value)}<br>${rows[i].low === null ? "−∞" : show(rows[i].low)} … ${rows[i].high === null ? "∞" : show(rows[i].high)}` },
      series: [
        {
          type: "custom",
          data: rows.map((row, i) => [row.low ?? min, row.high ?? max, i]),
          encode: { x: [0, 1], y: 2 },
          renderItem: (params, api) => {
            const row = rows[params.dataIndex];
            const [from, y] = api.coord([api.value(0), api.value(2)]);
            const [to] = api.coord([api.value(1), api.value(2)]);
            return { type: "rect", shape: { x: from, y: y - 4, width: Math.max(to - from, 2), height: 8, r: 4 }, style: { fill: tone(row), opacity: 0.35 } };
          },
        },
        {
          type: "scatter", symbolSize: 13, z: 5,
          data: rows.map((row, i) => ({ value: [row.value, i], itemStyle: { color: tone(row) } })),
          markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: l.zero, type: "dashed" }, data: [{ xAxis: 0 }] },
        },
      ],
    };
  }

  function seriesOption(data, l, t) {
    const [min, max] = span(data.series.flatMap((s) => s.points.flatMap(([, v, low, high, from, to]) => [v, low, high, from ?? low, to ?? high])));
    const lines = data.series.flatMap((s, i) => {
      const tint = l.series[i % l.series.length];
      const band = (pick, extra, which = "") => ({
        type: "line", name: s.variant, symbol: "none", silent: true, stack: `band-${which}${i}`, lineStyle: { opacity: 0 }, tooltip: { show: false },
        data: s.points.map((p) => [p[0], pick(p)]), ...extra,
      });
      // Without a bound the wide band reaches the plot's edge.
      return [
        band((p) => p[4] ?? min, { stackStrategy: "all" }, "always-"),
        band((p) => (p[5] ?? max) - (p[4] ?? min), { stackStrategy: "all", areaStyle: { color: tint, opacity: 0.08 } }, "always-"),
        band((p) => p[2] ?? min, { stackStrategy: "all" }),
        band((p) => (p[3] ?? max) - (p[2] ?? min), { stackStrategy: "all", areaStyle: { color: tint, opacity: 0.16 } }),
        { type: "line", name: s.variant, data: s.points.map((p) => [p[0], p[1]]), itemStyle: { color: tint }, lineStyle: { width: 2, color: tint }, symbolSize: 6,
          markLine: i ? undefined : { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: l.zero, type: "dashed" }, data: [{ yAxis: 0 }] } },
      ];
    });
    return {
      ...base(l),
      grid: { left: 12, right: 32, top: 16, bottom: 40, containLabel: true },
      legend: { bottom: 0, textStyle: { color: l.text }, data: data.series.map((s) => s.variant), icon: "circle" },
      xAxis: axis(l, { type: "value", minInterval: 1, min: "dataMin", max: "dataMax", splitLine: { show: false }, axisLabel: { color: l.text, hideOverlap: true, formatter: (v) => t.day.replace("%(n)s", v) } }),
      yAxis: axis(l, { type: "value", min, max, axisLabel: { color: l.text, formatter: (v) => percent(v), showMinLabel: false, showMaxLabel: false } }),
      tooltip: { ...base(l).tooltip, trigger: "item", formatter: ({ seriesName, value }) => `<b>${escape(seriesName)}</b><br>${t.day.replace("%(n)s", value[0])}: ${percent(value[1], 1)}` },
      series: lines,
    };
  }

  function posterior(data, l, t) {
    const { curves, isShare } = data.posterior;
    return {
      ...base(l),
      grid: { left: 16, right: 24, top: 12, bottom: 64, containLabel: true },
      legend: { bottom: 0, textStyle: { color: l.text }, icon: "circle" },
      xAxis: axis(l, { type: "value", scale: false, name: isShare ? t.points : t.perCustomer, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: l.text }, splitLine: { show: false }, axisLabel: { color: l.text, formatter: (v) => `${v > 0 ? "+" : ""}${Number(v.toPrecision(3))}`.replace("-", "−"), hideOverlap: true, showMinLabel: false, showMaxLabel: false } }),
      yAxis: { type: "value", show: false },
      series: curves.map((curve, i) => ({
        type: "line", name: curve.variant, data: curve.points, symbol: "none", silent: true, lineStyle: { width: 2 }, areaStyle: { opacity: 0.14 },
        markLine: i ? undefined : { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: l.zero, type: "dashed" }, data: [{ xAxis: 0 }] },
      })),
    };
  }

  // Of a learned division: columns of shares, and for each message the chance to be the best.
  function shares(data, l, t) {
    const { days, variants } = data.learned;
    const labels = days.map(([day]) => t.day.replace("%(n)s", day));
    const tint = (i) => l.series[i % l.series.length];
    return {
      ...base(l),
      grid: { left: 12, right: 24, top: 16, bottom: 64, containLabel: true },
      legend: { bottom: 0, type: "scroll", textStyle: { color: l.text }, data: variants },
      xAxis: axis(l, { type: "category", data: labels, axisLabel: { color: l.text, hideOverlap: true } }),
      yAxis: axis(l, { type: "value", min: 0, max: 1, axisLabel: { color: l.text, formatter: (v) => `${Math.round(v * 100)} %` } }),
      tooltip: { ...base(l).tooltip, formatter: ({ seriesName, dataIndex: i }) => {
        const k = variants.indexOf(seriesName), [, drawn, best] = days[i];
        return `<b>${escape(seriesName)}</b><br>${labels[i]}<br>${t.drawn}: ${(drawn[k] * 100).toFixed(1)} %${best[k] === null ? "" : `<br>${t.best}: ${(best[k] * 100).toFixed(1)} %`}`;
      } },
      series: variants.flatMap((name, k) => [
        { type: "bar", name, stack: "drawn", barMaxWidth: 56, itemStyle: { color: tint(k), opacity: 0.35 }, data: days.map(([, drawn]) => drawn[k]) },
        ...(days.some(([, , best]) => best[k] !== null) ? [{ type: "line", name, symbolSize: 7, lineStyle: { width: 2, color: tint(k) }, itemStyle: { color: tint(k) }, data: days.map(([, , best]) => best[k]) }] : []),
      ]),
    };
  }

  function arms(data, l, t) {
    const { arms: curves, isShare } = data.learned;
    return {
      ...base(l),
      grid: { left: 16, right: 24, top: 12, bottom: 64, containLabel: true },
      legend: { bottom: 0, type: "scroll", textStyle: { color: l.text }, icon: "circle" },
      xAxis: axis(l, { type: "value", scale: true, name: isShare ? `% ${t.ofCustomers}` : t.value, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: l.text }, splitLine: { show: false }, axisLabel: { color: l.text, formatter: (v) => `${Number(v.toPrecision(3))}`, hideOverlap: true, showMinLabel: false, showMaxLabel: false } }),
      yAxis: { type: "value", show: false },
      series: curves.map((curve) => ({ type: "line", name: curve.variant, data: curve.points, symbol: "none", silent: true, lineStyle: { width: 2 }, areaStyle: { opacity: 0.14 } })),
    };
  }

  function regret(data, l, t) {
    const lines = [[t.asDrawn, 1, "solid"], [t.even, 2, "dashed"]];
    return {
      ...base(l),
      grid: { left: 12, right: 24, top: 16, bottom: 40, containLabel: true },
      legend: { bottom: 0, textStyle: { color: l.text } },
      xAxis: axis(l, { type: "category", boundaryGap: false, data: data.learned.regret.map(([day]) => t.day.replace("%(n)s", day)), axisLabel: { color: l.text, hideOverlap: true } }),
      yAxis: axis(l, { type: "value", min: 0 }),
      tooltip: { ...base(l).tooltip, trigger: "axis", valueFormatter: (v) => Number(v.toPrecision(3)).toLocaleString("en") },
      series: lines.map(([name, place, type], i) => ({ type: "line", name, symbolSize: 6, lineStyle: { width: 2, type, color: l.series[i] }, itemStyle: { color: l.series[i] }, data: data.learned.regret.map((row) => row[place]) })),
    };
  }

  function funnel(data, l, t) {
    // Null: nobody counts it, for example what was opened of an SMS.
    const counted = [0, 1, 2, 3].filter((i) => data.funnel.some((row) => row.counts[i] !== null));
    const steps = counted.map((i) => [t.sent, t.opened, t.clicked, t.bought][i]);
    return {
      ...base(l),
      grid: { left: 12, right: 16, top: 24, bottom: 40, containLabel: true },
      legend: { bottom: 0, textStyle: { color: l.text }, icon: "circle" },
      xAxis: axis(l, { type: "category", data: steps }),
      yAxis: axis(l, { type: "value", minInterval: 1 }),
      tooltip: {
        ...base(l).tooltip,
        formatter: ({ seriesIndex, dataIndex }) => {
          const row = data.funnel[seriesIndex], n = row.counts[counted[dataIndex]];
          const share = row.counts[0] ? ((n / row.counts[0]) * 100).toFixed(1) : "–";
          return `<b>${escape(row.variant)}</b><br>${steps[dataIndex]}: ${n.toLocaleString("en")}<br>${share} % ${t.share}`;
        },
      },
      series: data.funnel.map((row) => ({
        type: "bar", name: row.variant, data: counted.map((i) => row.counts[i]), barMaxWidth: 56, itemStyle: { borderRadius: [4, 4, 0, 0] },
        label: { show: true, position: "top", color: l.text, formatter: ({ value }) => value.toLocaleString("en") },
      })),
    };
  }

  function draw(data, texts) {
    const l = look();
    const tall = Math.max(220, data.forest.length * 48 + 70);
    const plots = {
      forest: [data.forest.length, () => forest(data.forest, l, texts.change, (v, axis) => percent(v, axis ? 0 : 1)), tall],
      groups: [data.groups.rows.length, () => forest(data.groups.rows, l, data.groups.isShare ? texts.points : texts.perCustomer, (v) => plain(v)), Math.max(220, data.groups.rows.length * 44 + 70)],
      // One day makes no line.
      series: [data.series.some((s) => s.points.length > 1), () => seriesOption(data, l, texts), Math.min(Math.max(tall, 300), 560)],
      posterior: [data.posterior.curves.length, () => posterior(data, l, texts), 300],
      shares: [data.learned.days.length, () => shares(data, l, texts), 320],
      arms: [data.learned.arms.length, () => arms(data, l, texts), 300],
      regret: [data.learned.regret.length > 1, () => regret(data, l, texts), 300],
      funnel: [data.funnel.some((row) => row.counts[0]), () => funnel(data, l, texts), 300],
    };
    options = {};
    for (const [name, [some, option, height]] of Object.entries(plots)) {
      const box = document.getElementById(`chart-${name}`);
      if (!box) continue; // an experiment without sending has no funnel
      if (["groups", "shares", "arms", "regret"].includes(name)) box.closest("section").hidden = !some;
      // Of a learned division neither is told: `shares` and `arms` take their place.
      if (["series", "posterior"].includes(name)) box.closest("section").hidden = !some && data.learned.days.length > 0;
      box.hidden = !some;
      box.nextElementSibling.hidden = Boolean(some);
      if (!some) continue;
      box.style.height = `${height}px`;
      offerPicture(box, name, texts);
      options[name] = option;
      if (charts[name]) drawOne(name);
      else if (!watched.has(name)) { watched.add(name); whenSeen(box, () => drawOne(name)); }
    }
  }

  function drawOne(name) {
    if (!options[name]) return; // it has nothing to show any more
    charts[name] ||= echarts.init(document.getElementById(`chart-${name}`), null, { renderer: "svg" });
    charts[name].resize();
    charts[name].setOption(options[name](), true);
  }

  function offerPicture(box, name, texts) {
    const section = box.closest("section");
    if (section.querySelector("[data-picture]")) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "b-btn b-btn-small rp-picture", textContent: texts.picture });
    button.dataset.picture = name;
    button.addEventListener("click", () => charts[name] && savePicture(charts[name], name, look().panel));
    section.append(button);
  }

  window.reportCharts = { charts, draw };
})();
