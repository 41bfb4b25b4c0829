// Members of a segment over time: a line of steps for the size, columns of entries and exits.

(() => {
  "use strict";

  const { column, dot, line, series, show, span } = window.bespokePlot;
  const HOUR = 3_600_000, DAY = 24 * HOUR;
  const STEPS = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY];
  const number = new Intl.NumberFormat("en");

  // Like the dates of the page: 28 Nov, 14:00.
  const { lang } = document.documentElement, language = lang === "en" ? "en-GB" : lang;
  const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const dayOfDate = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });

  // A single moment in the middle, said in full.
  const oneMoment = (at, full) => ({ min: at - HOUR, max: at + HOUR, show: (one) => full.format(one), ticks: () => [at] });

  // Days, which the server counts by UTC; or midnights and hours of a short time, where the reader is.
  function timeAxis(min, max, isDaily) {
    return {
      min, max, show: (at) => (isDaily ? dayOfDate : new Date(at).getHours() ? hour : day).format(at),
      ticks: (most) => {
        const step = STEPS.find((one) => (max - min) / one <= most && (one >= DAY || !isDaily)) || STEPS.at(-1), found = [];
        for (let at = isDaily ? min - (min % DAY) : new Date(min).setHours(0, 0, 0, 0); at <= max; at += step) if (at >= min) found.push(at);
        return found;
      },
    };
  }

  function spec(rows, words) {
    const when = rows.map(([at]) => Date.parse(at)), moved = rows.flatMap(([, , entered, left]) => [entered, left]);
    const names = [words.members, words.entered, words.left], whole = { isWhole: true, show: (value) => number.format(value) };
    const isDaily = when.every((at) => at % DAY === 0), full = isDaily ? date : moment;
    const labels = when.map((at) => full.format(at));
    const told = (n) => [labels[n], ...names.map((name, k) => `${name}: ${number.format(rows[n][k + 1])}`)];
    const y2 = { ...span(moved), ...whole };
    const begin = Math.min(...when), end = Math.max(...when), room = (end - begin) * 0.04; // columns stand off the axes
    return {
      words: { labels, names, at: (n, k) => rows[n][k + 1], write: number.format, trends: 1 },
      height: 300, names: names.map((name, n) => ({ name, color: series([0, 4, 3][n]) })), y2,
      x: begin === end ? oneMoment(begin, full) : timeAxis(begin - room, end + room, isDaily), y: { ...span(rows.map((row) => row[1])), ...whole },
      marks: ({ x, y, y2: moves, left, right }) => {
        const width = Math.min(18, (right - left) / (rows.length + 1) / 1.4);
        const steps = rows.flatMap((row, n) => [...(n ? [[x.at(when[n]), y.at(rows[n - 1][1])]] : []), [x.at(when[n]), y.at(row[1])]]);
        const columns = rows.flatMap((row, n) => [2, 3].filter((k) => row[k]).map((k) =>
          column(x.at(when[n]), moves.at(row[k]), width, moves.at(0) - moves.at(row[k]), series(k === 2 ? 4 : 3), 0.8, told(n))));
        return [...columns, line(steps, series(0)), ...rows.map((row, n) => dot(x.at(when[n]), y.at(row[1]), series(0), told(n), rows.length < 60 ? 3 : 1))];
      },
    };
  }

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("sizes-chart"), rows = JSON.parse(document.getElementById("segment-sizes").textContent);
    if (box && rows.length) show(box, spec(rows, box.dataset));
  });
})();
