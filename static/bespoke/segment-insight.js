// Members of a segment over time: a line of the size, bars of entries and exits.

(() => {
  "use strict";

  function draw(box, rows) {
    const dark = document.documentElement.classList.contains("dark");
    const text = dark ? "#cbd5e1" : "#475569", line = dark ? "#334155" : "#e2e8f0";
    const words = box.dataset;
    const axis = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: text, hideOverlap: true }, splitLine: { lineStyle: { color: line } } };
    const chart = echarts.getInstanceByDom(box) || echarts.init(box, null, { renderer: "svg" });
    chart.setOption({
      textStyle: { fontFamily: "inherit", color: text },
      color: dark ? ["#a78bfa", "#4ade80", "#f472b6"] : ["#7c3aed", "#15803d", "#db2777"],
      legend: { textStyle: { color: text }, top: 0 },
      grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
      tooltip: { trigger: "axis", backgroundColor: dark ? "#1e293b" : "#ffffff", borderColor: line, textStyle: { color: text }, confine: true },
      xAxis: { type: "time", ...axis, splitLine: { show: false } },
      yAxis: [{ type: "value", minInterval: 1, ...axis }, { type: "value", minInterval: 1, ...axis, splitLine: { show: false } }],
      series: [
        { name: words.members, type: "line", step: "end", showSymbol: rows.length < 2, data: rows.map(([at, members]) => [at, members]) },
        { name: words.entered, type: "bar", stack: "moves", yAxisIndex: 1, barMaxWidth: 18, data: rows.map(([at, , entered]) => [at, entered]) },
        { name: words.left, type: "bar", stack: "moves", yAxisIndex: 1, barMaxWidth: 18, data: rows.map(([at, , , left]) => [at, left]) },
      ],
    }, true);
    chart.resize();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("sizes-chart");
    if (!box) return;
    const rows = JSON.parse(document.getElementById("segment-sizes").textContent);
    window.bespokeCharts.whenSeen(box, () => {
      draw(box, rows);
      new ResizeObserver(() => draw(box, rows)).observe(box);
      new MutationObserver(() => draw(box, rows)).observe(document.documentElement, { attributeFilter: ["class"] });
    });
  });
})();
