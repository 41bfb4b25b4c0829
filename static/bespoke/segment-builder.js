// The segment builder: a tree of conditions edited as a flat list of lines, counted while one edits.
// Page data comes from <script type="application/json" id="segment-data">; the language is docs/segments.md.

(() => {
  "use strict";
  const { newNode, readRoot } = window.segmentTree;

  document.addEventListener("alpine:init", () => {
    Alpine.data("segmentBuilder", () => {
      const page = JSON.parse(document.getElementById("segment-data").textContent);
      return {
        ...window.segmentChoices,
        ...window.segmentWriting,
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

        // Whoever goes by keyboard stays in the group that something was taken from.
        remove(node) {
          const drop = (group) => {
            if (group.children.some((child) => child.id === node.id)) this.focus(`#foot-${group.id} button`);
            group.children = group.children.filter((child) => child.id !== node.id);
            group.children.filter((child) => child.kind === "group").forEach(drop);
          };
          drop(this.root);
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
