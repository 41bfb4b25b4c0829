// The plots of a report, from its data.

(() => {
  "use strict";

  const { area, column, curves, dot, intervals, line, rounded, savePicture, series, show, signed, span } = window.bespokePlot;
  const number = new Intl.NumberFormat("en");
  const percent = (value, digits = 0) => `${signed((value * 100).toFixed(digits), value)} %`;
  const change = (value) => percent(value, 1);
  const plain = (value) => signed(rounded(value), value);
  const share = (value) => `${(value * 100).toFixed(1)} %`;
  const dayOf = (t, day) => t.day.replace("%(n)s", day);

  function forest(rows, name, write, tick) {
    const bounds = (row) => `${row.low === null ? "−∞" : write(row.low)} … ${row.high === null ? "∞" : write(row.high)}`;
    return intervals({
      name, show: tick, write, reference: { x: 0 },
      rows: rows.map((row) => ({
        label: [row.variant, row.metric],
        points: [{ ...row, lines: [row.variant, `${row.metric}: ${write(row.value)}`, bounds(row)] }],
      })),
    });
  }

  // Per variant a line in its dark and its light band; a band without a bound reaches the plot's edge.
  function overDays({ series: given }, t) {
    const points = given.flatMap((one) => one.points), days = points.map(([day]) => day);
    const y = { ...span(points.flatMap(([, ...values]) => values)), show: (v) => percent(v) };
    const labels = [...new Set(days)].sort((a, b) => a - b), pointOf = (n, k) => given[k].points.find(([day]) => day === labels[n]);
    const bound = (value, none) => (value === null ? none : change(value));
    return {
      words: {
        labels: labels.map((day) => dayOf(t, day)), names: given.map((one) => one.variant), write: change, at: (n, k) => pointOf(n, k)?.[1],
        cell: (n, k) => { const [, value, low, high] = pointOf(n, k); return `${change(value)} (${bound(low, "−∞")} … ${bound(high, "∞")})`; },
      },
      height: 320, y, reference: { y: 0 },
      x: { min: Math.min(...days), max: Math.max(...days), isWhole: true, show: (day) => dayOf(t, day) },
      names: given.map((one, n) => ({ name: one.variant, color: series(n) })),
      marks: ({ x, y: at }) => given.flatMap((one, n) => {
        const band = (low, high, opacity) => area(
          one.points.map((point) => [x.at(point[0]), at.at(point[high] ?? y.max)]),
          one.points.map((point) => [x.at(point[0]), at.at(point[low] ?? y.min)]), series(n), opacity,
        );
        const placed = one.points.map(([day, value]) => [x.at(day), at.at(value)]);
        const dots = placed.map(([a, b], k) => dot(a, b, series(n), [one.variant, `${dayOf(t, one.points[k][0])}: ${change(one.points[k][1])}`]));
        return [band(4, 5, 0.08), band(2, 3, 0.16), line(placed, series(n)), ...dots];
      }),
    };
  }

  // Of a learned division: columns of shares, and for each message the chance to be the best.
  function shares({ days, variants }, t) {
    const told = ([day, drawn, best], k) => [
      variants[k], dayOf(t, day), `${t.drawn}: ${share(drawn[k])}`, ...(best[k] === null ? [] : [`${t.best}: ${share(best[k])}`]),
    ];
    const labels = days.map(([day]) => dayOf(t, day));
    return {
      words: { labels, names: variants, write: share, at: (n, k) => days[n][2][k] ?? days[n][1][k], cell: (n, k) => told(days[n], k).slice(2).join(" · ") },
      height: 320, x: { labels }, y: { min: 0, max: 1, show: (v) => `${Math.round(v * 100)} %` },
      names: variants.map((name, k) => ({ name, color: series(k) })),
      marks: ({ x, y }) => [
        ...days.flatMap((day, n) => variants.map((_name, k) => {
          const under = day[1].slice(0, k).reduce((sum, one) => sum + one, 0), top = y.at(under + day[1][k]);
          return column(x.at(n), top, Math.min(56, x.band * 0.7), y.at(under) - top, series(k), 0.35, told(day, k));
        })),
        ...variants.flatMap((_name, k) => {
          const known = days.flatMap((day, n) => (day[2][k] === null ? [] : [[x.at(n), y.at(day[2][k]), day]]));
          return [line(known, series(k)), ...known.map(([a, b, day]) => dot(a, b, series(k), told(day, k)))];
        }),
      ],
    };
  }

  function regret(rows, t) {
    const lines = [[t.asDrawn, 1], [t.even, 2, "6 4"]], days = rows.map(([day]) => dayOf(t, day));
    return {
      words: { labels: days, names: lines.map(([name]) => name), write: (v) => number.format(rounded(v)), at: (n, k) => rows[n][lines[k][1]] },
      height: 300, x: { labels: days }, y: { ...span(rows.flatMap(([, ...values]) => values)), show: (v) => number.format(v) },
      names: lines.map(([name, , dash], n) => ({ name, color: series(n), dash })),
      marks: ({ x, y }) => lines.flatMap(([, place, dash], n) => {
        const placed = rows.map((row, at) => [x.at(at), y.at(row[place])]);
        const told = (at) => [days[at], ...lines.map(([name, other]) => `${name}: ${number.format(rounded(rows[at][other]))}`)];
        return [line(placed, series(n), { dash }), ...placed.map(([a, b], at) => dot(a, b, series(n), told(at)))];
      }),
    };
  }

  function funnel(rows, t) {
    // Null: nobody counts it, for example what was opened of an SMS.
    const counted = [0, 1, 2, 3].filter((i) => rows.some((row) => row.counts[i] !== null));
    const steps = counted.map((i) => [t.sent, t.opened, t.clicked, t.bought][i]);
    const ofSent = (row, step) => `${row.counts[0] ? ((row.counts[counted[step]] / row.counts[0]) * 100).toFixed(1) : "–"} %`;
    const told = (row, step) => [row.variant, `${steps[step]}: ${number.format(row.counts[counted[step]])}`, `${ofSent(row, step)} ${t.share}`];
    const at = (step, k) => rows[k].counts[counted[step]];
    return {
      words: { labels: steps, names: rows.map((row) => row.variant), at, write: number.format, cell: (step, k) => `${number.format(at(step, k))} (${ofSent(rows[k], step)})` },
      height: 300, x: { labels: steps }, y: { min: 0, max: Math.max(...rows.flatMap((row) => row.counts)) * 1.05, isWhole: true, show: (v) => number.format(v) },
      names: rows.map((row, n) => ({ name: row.variant, color: series(n) })),
      marks: ({ x, y, floor }) => rows.flatMap((row, n) => counted.map((i, step) => {
        const room = (x.band * 0.8) / rows.length, middle = x.at(step) + (n - (rows.length - 1) / 2) * room, top = y.at(row.counts[i]);
        return column(middle, top, Math.min(56, room * 0.85), floor - top, series(n), 1, told(row, step));
      })),
    };
  }

  function draw(data, t) {
    const { learned, groups, posterior } = data;
    const plots = {
      forest: [data.forest.length, () => forest(data.forest, t.change, change, percent)],
      groups: [groups.rows.length, () => forest(groups.rows, groups.isShare ? t.points : t.perCustomer, plain, plain)],
      // One day makes no line.
      series: [data.series.some((one) => one.points.length > 1), () => overDays(data, t)],
      posterior: [posterior.curves.length, () => curves(posterior.curves, posterior.isShare ? t.points : t.perCustomer, { x: 0 })],
      shares: [learned.days.length, () => shares(learned, t)],
      arms: [learned.arms.length, () => curves(learned.arms, learned.isShare ? `% ${t.ofCustomers}` : t.value)],
      regret: [learned.regret.length > 1, () => regret(learned.regret, t)],
      funnel: [data.funnel.some((row) => row.counts[0]), () => funnel(data.funnel, t)],
    };
    document.querySelector(".rp-charts").hidden = Boolean(data.isWithheld);
    for (const [name, [some, spec]] of Object.entries(plots)) {
      const box = document.getElementById(`chart-${name}`);
      if (!box) continue; // an experiment without sending has no funnel
      if (["groups", "shares", "arms", "regret"].includes(name)) box.closest("section").hidden = !some;
      // Of a learned division neither is told: `shares` and `arms` take their place.
      if (["series", "posterior"].includes(name)) box.closest("section").hidden = !some && learned.days.length > 0;
      box.hidden = !some;
      box.nextElementSibling.hidden = Boolean(some);
      if (!some) continue;
      show(box, spec());
      offerPicture(box, name, t);
    }
  }

  function offerPicture(box, name, t) {
    const section = box.closest("section");
    if (section.querySelector("[data-picture]")) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "b-btn b-btn-small rp-picture", textContent: t.picture });
    button.dataset.picture = name;
    button.addEventListener("click", () => savePicture(box, name));
    section.append(button);
  }

  window.reportCharts = { draw };
})();
