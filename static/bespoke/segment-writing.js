// The tree of the builder as a definition: mixed into the builder.
// `strict` keeps unfinished conditions, so that the server says what is missing. Every node remembers its
// JSON pointer, so that `show` puts errors beside their row.

window.segmentWriting = (() => {
  "use strict";

  const numberOf = (text) => (text === "" || text === null || !Number.isFinite(Number(text)) ? null : Number(text));

  return {
    writeTest(test, numeric, key) {
      const takes = this.takes(test, numeric);
      const out = { [key]: test.op };
      let value = test.value;
      if (takes === "none") return { out, done: true };
      if (["number", "days", "share"].includes(takes)) value = numberOf(test.value);
      else if (takes === "numbers") value = [numberOf(test.a), numberOf(test.b)];
      else if (takes === "dates") value = [test.a, test.b];
      else if (takes === "scalars") value = numeric ? test.list.map((one) => numberOf(one) ?? one) : [...test.list];
      out.value = value;
      const empty = (one) => one === null || one === undefined || String(one).trim() === "";
      return { out, done: Array.isArray(value) ? value.length > 0 && !value.some(empty) : !empty(value) };
    },

    writeAggregate(agg) {
      const names = agg.events.filter((name) => name.trim());
      const out = { event: names.length > 1 ? names : names[0] || "", op: agg.op };
      let done = names.length > 0;
      const source = (kind, name) => {
        if (kind !== "property") return kind;
        done = done && !!name;
        return { property: name };
      };
      const kinds = agg.op === "distinct" ? ["item", "day", "property"] : ["value", "property"];
      if (!["count", "first", "last"].includes(agg.op)) {
        out.of = source(kinds.includes(agg.of) ? agg.of : kinds[0], agg.ofName);
      }
      if (agg.op === "average" && agg.per) out.per = source(agg.per, agg.perName);
      const window = this.writeWindow(agg);
      if (window) out.window = window;
      done = done && Object.values(window || {}).every((bound) => bound !== null && bound !== "");
      const where = agg.where.map((filter) => {
        const written = this.writeTest(filter.test, this.filterNumeric(filter), "op");
        done = done && written.done && !!filter.name;
        return { [filter.place]: filter.name, ...written.out };
      });
      if (where.length) out.where = where;
      return { out, done };
    },

    writeWindow(agg) {
      const days = numberOf(agg.days);
      return {
        any: null,
        last: { last_days: days },
        older: { before_days: days },
        range: { last_days: Math.max(days, numberOf(agg.days2)), before_days: Math.min(days, numberOf(agg.days2)) },
        since: { from: agg.from },
        until: { to: agg.to },
        dates: { from: agg.from, to: agg.to },
        kept: agg.kept,
      }[agg.win];
    },

    writeLeaf(node) {
      if (node.kind === "trait") {
        const { out, done } = this.writeTest(node.test, false, "op");
        return { out: { trait: node.trait, ...out }, done: done && !!node.trait };
      }
      if (node.kind === "consent") {
        const out = { consent: node.channel, topic: node.topic };
        if (node.granted === "no") out.granted = false;
        return { out, done: !!node.topic };
      }
      if (node.kind === "segment") return { out: { segment: Number(node.segment) || 0 }, done: !!node.segment };
      if (node.kind === "sequence") return this.writeSequence(node);
      const test = this.writeTest(node.test, true, "is");
      const first = this.writeAggregate(node.agg);
      if (node.kind === "event") return { out: { ...first.out, ...test.out }, done: first.done && test.done };
      const second = this.writeAggregate(node.agg2);
      const out = { ratio: [first.out, second.out], ...test.out };
      return { out, done: first.done && second.done && test.done };
    },

    writeSequence(node) {
      const steps = node.steps.map((agg) => this.writeAggregate(agg));
      const parts = steps.map(({ out }) => (out.where ? { event: out.event, where: out.where } : { event: out.event }));
      const out = { sequence: parts, within_days: numberOf(node.days) };
      if (steps[0].out.window) out.window = steps[0].out.window;
      if (node.followed === "no") out.followed = false;
      return { out, done: out.within_days !== null && steps.every((step) => step.done) };
    },

    write(node, pointer, strict, found) {
      found.places.push([pointer, node.id]);
      if (node.kind !== "group") {
        const { out, done } = this.writeLeaf(node);
        if (!done) found.unfinished = true;
        return done || strict ? out : null;
      }
      const inside = { all: "/all", any: "/any", none: "/not/any" }[node.match];
      const children = [];
      for (const child of node.children) {
        const written = this.write(child, `${pointer}${inside}/${children.length}`, strict, found);
        if (written) children.push(written);
      }
      if (!children.length) return pointer ? null : { all: [] };
      if (node.match === "none") return { not: { any: children } };
      return { [node.match]: children };
    },

    read(strict) {
      const found = { places: [], unfinished: false };
      return { definition: this.write(this.root, "", strict, found), ...found };
    },

    // Puts each error beside the row it is about; what belongs to no row is shown on its own.
    show(problem, places, saving = false) {
      const errors = {};
      for (const { pointer, detail } of problem.errors || []) {
        if (pointer === "/name") {
          errors.name = detail;
          continue;
        }
        const inside = pointer.replace(/^\/definition/, "");
        const owner = places
          .filter(([place]) => inside === place || inside.startsWith(place + "/"))
          .sort((left, right) => right[0].length - left[0].length)[0];
        if (owner) errors[owner[1]] = detail;
      }
      const sentence = [problem.title, problem.detail].filter(Boolean).join(". ");
      if (saving) errors.form = sentence;
      else this.trouble = sentence;
      this.errors = errors;
      if (errors.name) this.focus("#segment-name");
    },
  };
})();
