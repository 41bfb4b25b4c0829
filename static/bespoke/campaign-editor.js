// The campaign editor: one state, saved as a whole; beside it the message as a customer would get it.
// Page data comes from <script type="application/json" id="campaign-data">.

(() => {
  "use strict";

  const PREVIEW_DELAY = 400;
  let nextId = 1;

  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
  const fill = (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  const withId = (message) => ({ ...message, id: nextId++ });

  async function ask(url, body) {
    const options = body === undefined
      ? {}
      : { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() }, body: JSON.stringify(body) };
    const response = await fetch(url, options);
    const data = await response.json().catch(() => ({}));
    if (!response.ok) throw Object.assign(new Error(data.detail || data.title || ""), { problem: data });
    return data;
  }

  document.addEventListener("alpine:init", () => {
    Alpine.data("campaignEditor", () => {
      const page = JSON.parse(document.getElementById("campaign-data").textContent);
      const messages = page.campaign.messages.map(withId);
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
      const zones = Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : [];
      return {
        c: { ...page.campaign, segment: String(page.campaign.segment), messages },
        canSave: page.canSave,
        myAddress: page.myAddress,
        urls: page.urls,
        texts: page.texts,
        at: 0, last: "body", mode: "desktop", when: page.campaign.scheduled_at ? "later" : "now",
        at_local: "", zone: here, zones: [...new Set([here, "UTC", ...zones])],
        size: null, counting: false, checks: [], errors: {}, trouble: "", busy: false, saved: "", note: "",
        who: null, words: "", found: [], rendered: null, problems: [], fields: [], turn: 0,

        init() {
          this.saved = this.c.id ? this.snapshot() : "";
          if (this.c.scheduled_at) this.at_local = this.localTime(this.c.scheduled_at);
          if (this.c.segment) this.countSegment();
          if (this.c.id) this.check();
          this.refresh();
          let timer;
          this.$watch("c", () => {
            clearTimeout(timer);
            timer = setTimeout(() => this.refresh(), PREVIEW_DELAY);
          });
          this.$watch("at", () => this.refresh());
          window.addEventListener("beforeunload", (event) => {
            if (this.canSave && this.dirty) event.preventDefault();
          });
        },

        // --- State -----------------------------------------------------------------------------------------
        get message() { return this.c.messages[this.at]; },
        get dirty() { return this.canSave && this.snapshot() !== this.saved && (this.c.id !== null || this.c.name !== ""); },
        get state() {
          if (this.busy) return this.texts.saving;
          return this.dirty || !this.c.id ? this.texts.unsaved : this.texts.saved;
        },
        get controls() { return Math.round((this.size || 0) * this.c.control_share); },
        get hasErrors() { return this.checks.some((check) => check.level === "error"); },
        get lineNumbers() {
          const count = (this.message?.body || "").split("\n").length;
          return Array.from({ length: count }, (_, i) => i + 1).join("\n");
        },
        get plannedText() {
          return this.c.scheduled_at ? new Date(this.c.scheduled_at).toLocaleString(document.documentElement.lang || "en") : "";
        },
        payload() {
          const { name, segment, sender_name, sender_address, topic, control_share, holdout, messages } = this.c;
          return { name, segment, sender_name, sender_address, topic, control_share, holdout, messages: messages.map(({ id, ...rest }) => rest) };
        },
        snapshot() { return JSON.stringify(this.payload()); },
        number(value) { return new Intl.NumberFormat(document.documentElement.lang || "en").format(value); },
        percent(value) { return `${Math.round(value * 100)} %`; },
        share(i) {
          const total = this.c.messages.reduce((sum, m) => sum + (Number(m.weight) || 0), 0);
          return total ? this.percent(((Number(this.c.messages[i].weight) || 0) / total) * (1 - this.c.control_share)) : "";
        },
        localTime(iso) {
          const d = new Date(iso);
          return new Date(d.getTime() - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
        },

        // --- Variants --------------------------------------------------------------------------------------
        open(i) { this.at = i; },
        step(by) {
          this.at = (this.at + by + this.c.messages.length) % this.c.messages.length;
          this.$nextTick(() => document.getElementById(`tab-${this.at}`).focus());
        },
        letter() { return String.fromCharCode(65 + this.c.messages.length); },
        add() {
          const first = page.starters[0];
          const name = fill(this.texts.variant, { letter: this.letter() });
          this.c.messages.push(withId({ key: this.freeKey(), name, weight: 1, subject: first.subject, preheader: first.preheader, body: first.body }));
          this.at = this.c.messages.length - 1;
        },
        duplicate() {
          const name = fill(this.texts.variant, { letter: this.letter() });
          this.c.messages.push(withId({ ...this.message, key: this.freeKey(), name }));
          this.at = this.c.messages.length - 1;
        },
        freeKey() {
          const taken = new Set(this.c.messages.map((m) => m.key));
          return [..."abcdefghijklmnopqrstuvwxyz"].find((key) => !taken.has(key)) || "";
        },
        remove() {
          if (!window.confirm(this.texts.removeQuestion)) return;
          this.c.messages.splice(this.at, 1);
          this.at = Math.max(0, this.at - 1);
        },
        start(event) {
          const starter = page.starters.find((s) => s.key === event.target.value);
          event.target.value = "";
          if (!starter || !window.confirm(this.texts.replaceQuestion)) return;
          Object.assign(this.message, { subject: starter.subject, preheader: starter.preheader, body: starter.body });
        },
        insert(text) {
          const field = this.$refs[this.last] || this.$refs.body;
          const from = field.selectionStart ?? field.value.length;
          const flat = this.last === "body" ? text : text.replace(/\s*\n\s*/g, " ");
          this.message[this.last] = field.value.slice(0, from) + flat + field.value.slice(field.selectionEnd ?? from);
          this.$nextTick(() => { field.focus(); field.setSelectionRange(from + flat.length, from + flat.length); });
        },

        // --- Preview ---------------------------------------------------------------------------------------
        async refresh() {
          if (!this.message) return;
          const turn = ++this.turn;
          const { subject, preheader, body } = this.message;
          try {
            const data = await ask(this.urls.preview, { subject, preheader, body, name: this.c.name, customer: this.who?.id });
            if (turn !== this.turn) return;
            if (data.customer) this.who = data.customer;
            if (data.rendered) this.rendered = data.rendered;
            this.problems = data.problems;
            this.fields = data.fields.slice(0, 8);
          } catch (error) {
            this.note = error.message || this.texts.failed;
          }
        },
        async find() {
          this.found = (await ask(`${this.urls.customers}?q=${encodeURIComponent(this.words)}`)).customers;
        },
        choose(customer) {
          this.who = customer;
          this.found = [];
          this.words = "";
          this.refresh();
        },
        place(problem) {
          const field = this.texts[problem.field] || problem.field;
          return problem.line && problem.field === "body" ? `${field}, ${fill(this.texts.line, { line: problem.line })}:` : `${field}:`;
        },
        goto(problem) {
          const field = this.$refs[problem.field];
          if (!field) return;
          const lines = field.value.split("\n").slice(0, (problem.line || 1) - 1);
          const from = lines.reduce((sum, line) => sum + line.length + 1, 0);
          const to = field.value.indexOf("\n", from);
          field.focus();
          field.setSelectionRange(from, to < 0 ? field.value.length : to);
          field.scrollTop = Math.max(0, lines.length * 19.5 - 120);
        },
        async sendTest() {
          const { subject, preheader, body } = this.message;
          const { sender_name, sender_address, name } = this.c;
          await this.work(async () => {
            const data = await ask(this.urls.sendTest, { subject, preheader, body, sender_name, sender_address, name, customer: this.who?.id });
            this.note = fill(this.texts.testSent, data);
          });
        },

        // --- Server ----------------------------------------------------------------------------------------
        async countSegment() {
          this.size = null;
          if (!this.c.segment) return;
          this.counting = true;
          try {
            this.size = (await ask(`${this.urls.size}?segment=${this.c.segment}`)).size;
          } finally {
            this.counting = false;
          }
        },
        async check() {
          if (this.urls.checks) this.checks = (await ask(this.urls.checks)).checks;
        },
        async work(job) {
          this.busy = true;
          this.trouble = "";
          this.errors = {};
          try {
            await job();
            return true;
          } catch (error) {
            this.show(error);
            return false;
          } finally {
            this.busy = false;
          }
        },
        show(error) {
          this.trouble = error.message || this.texts.failed;
          for (const { pointer, detail } of error.problem?.errors || []) {
            this.errors[pointer.startsWith("/messages") ? "/messages" : pointer] = detail;
          }
        },
        async save() {
          if (!this.canSave || this.busy) return false;
          return this.work(async () => {
            const sent = this.snapshot();
            const data = await ask(this.urls.save, this.payload());
            this.urls = data.urls;
            data.campaign.messages.forEach((message, i) => { this.c.messages[i].key = message.key; });
            const isNew = !this.c.id;
            Object.assign(this.c, { id: data.campaign.id, status: data.campaign.status });
            this.saved = sent === this.snapshot() ? sent : this.snapshot();
            if (isNew) window.history.replaceState(null, "", this.urls.edit);
            await this.check();
          });
        },
        async launch() {
          if ((this.dirty || !this.c.id) && !(await this.save())) return;
          if (this.hasErrors) return;
          const question = this.size === null
            ? this.texts.launchQuestionUnknown
            : fill(this.texts.launchQuestion, { n: this.number(this.size - this.controls) });
          if (!window.confirm(question)) return;
          await this.work(async () => { window.location.href = (await ask(this.urls.launch, {})).url; });
        },
        async schedule() {
          if ((this.dirty || !this.c.id) && !(await this.save())) return;
          await this.work(async () => {
            const data = await ask(this.urls.schedule, { at: this.at_local, time_zone: this.zone });
            Object.assign(this.c, { status: data.campaign.status, scheduled_at: data.campaign.scheduled_at });
          });
        },
        async unschedule() {
          await this.work(async () => {
            const data = await ask(this.urls.unschedule, {});
            Object.assign(this.c, { status: data.campaign.status, scheduled_at: "" });
          });
        },
      };
    });
  });
})();
