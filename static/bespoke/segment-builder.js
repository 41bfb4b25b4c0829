// The segment builder: a tree of conditions edited as a flat list of lines, counted while one edits.
// Page data comes from <script type="application/json" id="segment-data">; the language is docs/segments.md.

(() => {
  "use strict";

  let nextId = 1;
  const FILTER_KINDS = ["any", "text", "number", "date"];
  const ITEM_NAMES = ["category", "brand", "price", "id", "name"];

  // --- Between JSON and the form -----------------------------------------------------------------------------
  const newTest = (op = "is") => ({ op, value: "", a: "", b: "", list: [], draft: "" });
  const newAggregate = () => ({
    op: "count", events: [""], of: "value", ofName: "", per: "", perName: "",
    win: "last", days: "30", days2: "", from: "", to: "", kept: null, where: [],
  });

  function newNode(kind) {
    const id = nextId++;
    if (kind === "group") return { id, kind, match: "any", children: [newNode("trait")] };
    if (kind === "event") return { id, kind, agg: newAggregate(), test: { ...newTest("at_least"), value: "1" } };
    if (kind === "ratio") {
      const [agg, agg2] = [newAggregate(), { ...newAggregate(), win: "older" }];
      return { id, kind, agg, agg2, test: { ...newTest("at_least"), value: "1.5" } };
    }
    if (kind === "sequence") return { id, kind, steps: [newAggregate(), newAggregate()], days: "7", followed: "yes" };
    if (kind === "consent") return { id, kind, channel: "email", topic: "marketing", granted: "yes" };
    if (kind === "segment") return { id, kind, segment: "" };
    return { id, kind: "trait", trait: "", test: newTest() };
  }

  function readTest(op, value) {
    const test = newTest(op);
    if (Array.isArray(value) && (op === "between" || op === "between_dates")) {
      [test.a, test.b] = value.map(String);
    } else if (Array.isArray(value)) {
      test.list = value.map(String);
    } else if (value !== undefined && value !== null) {
      test.value = String(value);
    }
    return test;
  }

  function readSource(raw) {
    return raw && typeof raw === "object" ? ["property", raw.property] : [raw || "", ""];
  }

  function readWindow(agg, raw) {
    const keys = Object.keys(raw || {}).sort().join();
    const kinds = {
      "": "any", last_days: "last", before_days: "older", "before_days,last_days": "range",
      from: "since", to: "until", "from,to": "dates",
    };
    agg.win = kinds[keys] || "kept";
    agg.kept = raw || null;
    agg.days = String((raw && (agg.win === "older" ? raw.before_days : raw.last_days)) ?? "30");
    agg.days2 = agg.win === "range" ? String(raw.before_days) : "";
    agg.from = (raw && raw.from) || "";
    agg.to = (raw && raw.to) || "";
  }

  function readAggregate(raw) {
    const agg = newAggregate();
    agg.op = raw.op || "count";
    agg.events = Array.isArray(raw.event) ? [...raw.event] : [raw.event || ""];
    [agg.of, agg.ofName] = readSource(raw.of || "value");
    [agg.per, agg.perName] = readSource(raw.per);
    readWindow(agg, raw.window);
    agg.where = (raw.where || []).map((part) => {
      const place = ["property", "context", "item", "field"].find((name) => name in part);
      return { id: nextId++, place, name: part[place], test: readTest(part.op, part.value) };
    });
    return agg;
  }

  function readNode(raw) {
    const id = nextId++;
    if (raw.all || raw.any) {
      const match = raw.all ? "all" : "any";
      return { id, kind: "group", match, children: raw[match].map(readNode) };
    }
    if (raw.not) {
      const inner = raw.not.any || [raw.not];
      return { id, kind: "group", match: "none", children: inner.map(readNode) };
    }
    if ("trait" in raw) return { id, kind: "trait", trait: raw.trait, test: readTest(raw.op, raw.value) };
    if ("ratio" in raw) {
      const [agg, agg2] = raw.ratio.map(readAggregate);
      return { id, kind: "ratio", agg, agg2, test: readTest(raw.is, raw.value) };
    }
    if ("sequence" in raw) {
      const steps = raw.sequence.map((step, index) => readAggregate(index ? step : { ...step, window: raw.window }));
      return { id, kind: "sequence", steps, days: String(raw.within_days), followed: raw.followed === false ? "no" : "yes" };
    }
    if ("event" in raw) return { id, kind: "event", agg: readAggregate(raw), test: readTest(raw.is, raw.value) };
    if ("consent" in raw) {
      const granted = raw.granted === false ? "no" : "yes";
      return { id, kind: "consent", channel: raw.consent, topic: raw.topic || "marketing", granted };
    }
    return { id, kind: "segment", segment: String(raw.segment) };
  }

  function readRoot(raw) {
    const root = readNode(raw);
    return root.kind === "group" ? root : { id: nextId++, kind: "group", match: "all", children: [root] };
  }

  const numberOf = (text) => (text === "" || text === null || !Number.isFinite(Number(text)) ? null : Number(text));

  document.addEventListener("alpine:init", () => {
    Alpine.data("segmentBuilder", () => {
      const page = JSON.parse(document.getElementById("segment-data").textContent);
      return {
        vocabulary: page.vocabulary,
        name: page.name,
        description: page.description,
        root: readRoot(page.definition),
        bare: false, // of an aggregate only the events are shown
        timeless: false,
        icons: { trait: "person", event: "bolt", ratio: "percent", sequence: "timeline", consent: "verified_user", segment: "filter_alt" },
        errors: {},
        words: { sentence: "", waiting: false, trouble: "", found: null },
        result: null,
        counting: false,
        unfinished: false,
        trouble: "",
        saving: false,
        savedState: "",
        request: null,
        past: [], // what the tree was, each as JSON; `present` is what it is
        future: [],
        present: "",
        narrowing: false,
        narrowed: null,

        init() {
          this.savedState = this.state();
          this.present = this.shape();
          this.count();
          let timer;
          this.$watch("root", () => {
            this.errors = {};
            clearTimeout(timer);
            timer = setTimeout(() => {
              this.remember();
              this.count();
            }, 350);
          });
          window.addEventListener("keydown", (event) => this.onKey(event));
          window.addEventListener("beforeunload", (event) => {
            if (page.canSave && this.dirty && !this.saving) event.preventDefault();
          });
        },

        // --- Undo and redo -----------------------------------------------------------------------------------
        shape() {
          return JSON.stringify(this.root);
        },

        remember() {
          const shape = this.shape();
          if (shape === this.present) return;
          this.past = [...this.past.slice(-99), this.present];
          this.future = [];
          this.present = shape;
        },

        step(from, to) {
          this.remember();
          if (!this[from].length) return;
          this[to] = [...this[to], this.present];
          this.present = this[from].at(-1);
          this[from] = this[from].slice(0, -1);
          this.root = JSON.parse(this.present);
        },

        undo() {
          this.step("past", "future");
        },

        redo() {
          this.step("future", "past");
        },

        // While one types in a field, the keys undo the typing, as everywhere.
        onKey(event) {
          if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches("input, textarea")) return;
          const key = event.key.toLowerCase();
          if (key !== "z" && key !== "y") return;
          event.preventDefault();
          if (key === "y" || event.shiftKey) this.redo();
          else this.undo();
        },

        // --- The tree as lines -------------------------------------------------------------------------------
        get lines() {
          const lines = [];
          const words = this.vocabulary.texts;
          const walk = (node, depth, joint) => {
            if (node.kind !== "group") {
              lines.push({ key: "r" + node.id, type: "row", node, depth, joint });
              return;
            }
            lines.push({ key: "h" + node.id, type: "head", node, depth, joint });
            const word = { all: words.and, any: words.or, none: words.nor }[node.match];
            node.children.forEach((child, index) => walk(child, depth + 1, index ? word : ""));
            if (!depth && !node.children.length) lines.push({ key: "e", type: "empty", node, depth });
            lines.push({ key: "f" + node.id, type: "foot", node, depth });
          };
          walk(this.root, 0, "");
          return lines;
        },

        add(group, kind) {
          const node = newNode(kind);
          group.children.push(node);
          const first = kind === "group" ? node.children[0] : node;
          this.focus(`#row-${first.id} .sb-name`);
        },

        remove(node) {
          const drop = (group) => {
            group.children = group.children.filter((child) => child.id !== node.id);
            group.children.filter((child) => child.kind === "group").forEach(drop);
          };
          drop(this.root);
          this.focus(".sb-foot button");
        },

        change(row, kind) {
          const fresh = newNode(kind);
          const id = row.id;
          Object.keys(row).forEach((key) => delete row[key]);
          Object.assign(row, fresh, { id });
          this.root = { ...this.root };
        },

        // --- Described in words: what comes back is shown, and put in only when somebody says yes.
        async askWords() {
          const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
          Object.assign(this.words, { waiting: true, trouble: "", found: null });
          try {
            let answer = await fetch(page.urls.words, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body: JSON.stringify({ sentence: this.words.sentence }) });
            let data = await answer.json();
            while (answer.ok && data.waiting) {
              await new Promise((done) => setTimeout(done, 1000));
              answer = await fetch(data.url);
              data = await answer.json();
            }
            this.words.trouble = answer.ok ? data.trouble : [data.title, data.detail].filter(Boolean).join(". ");
            this.words.found = answer.ok ? data.result : null;
          } catch {
            this.words.trouble = this.vocabulary.texts.offline;
          } finally {
            this.words.waiting = false;
          }
        },

        takeWords() {
          this.start(JSON.parse(JSON.stringify(this.words.found.definition)));
          this.words.found = null;
        },

        start(definition) {
          this.root = readRoot(definition);
        },

        focus(selector) {
          this.$nextTick(() => requestAnimationFrame(() => document.querySelector(selector)?.focus()));
        },

        // --- Tests and suggestions -----------------------------------------------------------------------------
        takes(test, numeric) {
          const takes = this.vocabulary.operators[test.op]?.takes;
          return takes === "scalar" && numeric ? "number" : takes;
        },

        testsOf(kinds) {
          const operators = this.vocabulary.operators;
          return Object.keys(operators).filter((op) => kinds.includes(operators[op].kind));
        },

        trait(row) {
          return this.vocabulary.traits.find((trait) => trait.name === row.trait);
        },

        traitKind(row) {
          return this.trait(row)?.kind || "text";
        },

        // The operators that suit what the data looks like come first; the one in use is always offered.
        traitTests(row) {
          const trait = this.trait(row);
          let tests;
          if (trait?.standard) {
            tests = trait.kind === "date" ? ["exists", "missing", ...this.vocabulary.dateTests] : this.testsOf(["any", "text"]);
          } else if (!trait || trait.kind === "other") {
            tests = this.testsOf(FILTER_KINDS);
          } else {
            const kinds = { number: ["any", "number"], date: ["date", "any"], yes_no: ["any"], text: ["any", "text"] };
            tests = this.testsOf(kinds[trait.kind]);
          }
          return tests.includes(row.test.op) ? tests : [...tests, row.test.op];
        },

        traitHints(row) {
          return this.trait(row)?.examples || [];
        },

        settle(row) {
          const kind = this.traitKind(row);
          const standardDate = this.trait(row)?.standard && kind === "date";
          if (standardDate && !["exists", "missing", ...this.vocabulary.dateTests].includes(row.test.op)) {
            row.test = { ...newTest("within_days"), value: "30" };
          }
        },

        eventTests(row) {
          const timed = ["first", "last"].includes(row.agg.op);
          const tests = timed ? this.vocabulary.dateTests : this.vocabulary.numberTests;
          if (!tests.includes(row.test.op)) {
            row.test = timed ? { ...newTest("within_days"), value: "30" } : { ...newTest("at_least"), value: "1" };
          }
          return tests;
        },

        propertiesOf(agg) {
          const found = this.vocabulary.events.filter((event) => agg.events.includes(event.name));
          return found.flatMap((event) => event.properties);
        },

        recent(event) {
          return this.vocabulary.texts.recent.replace("%(number)s", this.number(event.recent));
        },

        newStep: newAggregate,

        addFilter(agg) {
          agg.where.push({ id: nextId++, place: "property", name: "", test: newTest() });
        },

        settleFilter(filter) {
          if (filter.place === "field") filter.name = "value";
          else if (filter.name === "value" && filter.place !== "property") filter.name = "";
          if (!this.filterTests(filter).includes(filter.test.op)) filter.test = newTest();
        },

        filterNames(agg, filter) {
          if (filter.place === "item") return ITEM_NAMES;
          return filter.place === "property" ? this.propertiesOf(agg).map((property) => property.name) : [];
        },

        filterNumeric(filter) {
          return filter.place === "field" || (filter.place === "item" && filter.name === "price");
        },

        filterTests(filter) {
          if (this.filterNumeric(filter)) return this.testsOf(["any", "number"]);
          if (filter.place === "item" && filter.name === "category") return this.testsOf(["any"]);
          return this.testsOf(FILTER_KINDS);
        },

        filterHints(agg, filter) {
          if (filter.place === "item") return this.vocabulary.item[filter.name] || [];
          const property = this.propertiesOf(agg).find((known) => known.name === filter.name);
          return property?.examples || [];
        },

        take(test) {
          const value = test.draft.trim();
          if (value && !test.list.includes(value)) test.list.push(value);
          test.draft = "";
        },

        dateType(value) {
          return !value || /^\d{4}-\d{2}-\d{2}$/.test(value) ? "date" : "text";
        },

        // --- The form as JSON ----------------------------------------------------------------------------------
        // `strict` keeps unfinished conditions, so that the server says what is missing. Every node remembers its
        // JSON pointer, so that errors find their row.
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

        state() {
          return JSON.stringify([this.name, this.description, this.read(true).definition]);
        },

        get dirty() {
          return this.state() !== this.savedState;
        },

        // --- Talking to the server -----------------------------------------------------------------------------
        post(url, body, signal) {
          const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
          return fetch(url, {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-CSRFToken": token },
            body: JSON.stringify(body),
            signal,
          });
        },

        async count() {
          const { definition, places, unfinished } = this.read(false);
          this.unfinished = unfinished;
          this.request?.abort();
          const request = (this.request = new AbortController());
          this.counting = true;
          this.narrowed = null;
          try {
            let response = await this.post(page.urls.count, { definition }, request.signal);
            let answer = await response.json();
            this.trouble = "";
            if (response.ok) this.result = { ...answer, final: answer.margin === null };
            else this.show(answer, places);
            if (response.ok && answer.margin !== null) {
              // An estimate came first; the number itself follows, where it can be had.
              response = await this.post(page.urls.count, { definition, exact: true }, request.signal);
              answer = await response.json();
              this.result = response.ok ? { ...answer, final: true } : { ...this.result, final: true };
            }
          } catch (error) {
            if (error.name === "AbortError") return;
            this.trouble = this.vocabulary.texts.offline;
          }
          if (request === this.request) this.counting = false;
        },

        async narrow() {
          const { definition, places } = this.read(false);
          this.narrowing = true;
          try {
            const response = await this.post(page.urls.narrow, { definition });
            const answer = await response.json();
            if (response.ok) this.narrowed = answer;
            else this.show(answer, places);
          } catch {
            this.trouble = this.vocabulary.texts.offline;
          }
          this.narrowing = false;
        },

        async save() {
          const { definition, places } = this.read(true);
          this.errors = {};
          this.saving = true;
          try {
            const body = { name: this.name, description: this.description, definition };
            const response = await this.post(page.urls.save, body);
            const answer = await response.json();
            if (response.ok) {
              this.savedState = this.state();
              window.location.assign(answer.url);
              return;
            }
            this.show(answer, places, true);
          } catch {
            this.errors = { form: this.vocabulary.texts.offline };
          }
          this.saving = false;
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

        // --- Numbers -------------------------------------------------------------------------------------------
        number(value) {
          return new Intl.NumberFormat(document.documentElement.lang || "en").format(value);
        },

        // Below the floor of reports a role without personal data learns only that.
        told(value, answer) {
          return answer.fewer_than && !value ? `< ${answer.fewer_than}` : this.number(value);
        },

        percent(share) {
          const format = { style: "percent", maximumSignificantDigits: share < 0.01 ? 1 : 3 };
          return new Intl.NumberFormat("en", format).format(share || 0);
        },

        get figure() {
          if (!this.result) return "–";
          const { count, margin } = this.result;
          if (this.result.fewer_than && !count) return `< ${this.result.fewer_than}`;
          return margin === null ? this.number(count) : `≈ ${this.number(Number(count.toPrecision(3)))}`;
        },

        get about() {
          if (!this.result || this.result.margin === null) return "";
          const texts = this.vocabulary.texts;
          const margin = this.number(Number(this.result.margin.toPrecision(2)));
          return (this.result.final ? texts.estimated : texts.estimating).replace("%(margin)s", margin);
        },

        get ofTotal() {
          return this.result ? this.vocabulary.texts.of.replace("%(total)s", this.number(this.result.total)) : "";
        },
      };
    });
  });
})();
