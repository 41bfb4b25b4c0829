// The campaign editor: one state, saved as a whole; beside it the message as a customer would get it.
// Page data comes from <script type="application/json" id="campaign-data">.

(() => {
  "use strict";

  const PREVIEW_DELAY = 400;
  const FIRST_CLOCKS = 14 * 3600 * 1000;
  const { lang } = document.documentElement, language = lang === "en" ? "en-GB" : lang; // like the dates of the page
  const moment = (at) => at.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  let nextId = 1;

  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
  const fill = (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  const rules = window.campaignRules;
  const blankText = () => ({ subject: "", preheader: "", body: "", fields: {} });
  // Every part of a translation is there to be typed into; the server keeps those that are written.
  const openTexts = (found) => Object.fromEntries(Object.entries(found || {}).map(([code, text]) => [code, { ...blankText(), ...text }]));
  const withId = (message) => ({ ...message, rules: rules.open(message.rules), translations: openTexts(message.translations), id: nextId++ });
  const withoutId = ({ id, ...message }) => ({ ...message, rules: rules.close(message.rules) });

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
      const tools = { ask, fill, blankText, withoutId, starters: page.starters, visual: page.visual, guardrailMetrics: page.guardrailMetrics };
      return {
        ...window.campaignTexts(tools),
        ...window.campaignPreview(tools),
        ...window.campaignLaunch(tools),
        ...window.campaignPlan(tools),
        c: { ...page.campaign, segment: String(page.campaign.segment), messages, timing: { mode: "once", hour: "09:00", repeat: "", cap_rule: "drop", quiet_rule: "wait", quiet: "workspace", max_wait_hours: 48, per_second: "", ...page.campaign.timing, own_quiet: page.campaign.timing.own_quiet || { from: "22:00", until: "08:00" }, window: page.campaign.timing.window || { from: "", until: "", days: [] } } },
        dates: null,
        canSave: page.canSave,
        testTo: { email: page.myAddress },
        urls: page.urls,
        itemNames: page.campaign.item_names,
        texts: page.texts,
        at: 0, last: "body", mode: "desktop",
        // Also without a date yet, what repeats must not come back as one to be sent at once.
        when: page.campaign.scheduled_at || page.campaign.timing.repeat || page.campaign.timing.starts ? "later" : "now",
        at_local: "", zone: here,
        size: null, counting: false, checks: [], approval: null, said: "", errors: {}, trouble: "", busy: false, saved: "", note: "",
        guardrails: [], decides: "", shares: page.shares,
        outlook: null, lookDays: [], lengthDays: "", planTrouble: "", planTurn: 0,
        askedOutlook: "",
        testSaid: "", testTrouble: "",
        who: null, words: "", found: [], rendered: null, problems: [], fields: [], turn: 0,
        about: null, ruleProblems: [], subjectOutlook: [],
        language: null, gets: "", languages: [],
        tongue: "", newTongue: "", tongueTrouble: "",
        sg: { field: "", source: "", label: "", wish: "variants", language: page.language, turn: 0 },
        visual: null, visualBefore: "", visualTrouble: "",

        init() {
          this.showDate();
          this.saved = this.c.id ? this.snapshot() : "";
          if (this.c.segment) this.countSegment();
          if (this.c.id) this.check();
          // What was written for one channel makes no message on another.
          this.$watch("c.channel", (channel, before) => {
            const first = page.starters[0];
            const untouched = this.message.body.trim() === "" || (before === "email" && this.message.body === first.body);
            if (channel === "email" && this.message.body.trim() === "") Object.assign(this.message, { subject: first.subject, preheader: first.preheader, body: first.body });
            else if (untouched) Object.assign(this.message, { subject: "", preheader: "", body: "" });
            this.rendered = null;
          });
          this.refresh();
          let timer;
          this.$watch("c", () => {
            clearTimeout(timer);
            timer = setTimeout(() => { this.refresh(); this.lookAhead(); }, PREVIEW_DELAY);
          });
          this.lookAhead();
          this.tellDates();
          this.$watch("[c.timing.repeat, at_local, zone]", () => this.tellDates());
          this.$watch("at", () => this.refresh());
          window.addEventListener("beforeunload", (event) => {
            if (this.canSave && this.dirty) event.preventDefault();
          });
        },

        // --- State -----------------------------------------------------------------------------------------
        get weakGuardrails() { return this.guardrails.filter((one) => !one.is_enough); },
        get form() { return page.channels[this.c.channel] || page.channels.email; },
        get message() { return this.c.messages[this.at]; },
        // What is written now: the text for everybody, or that of the language whose tab is open.
        get text() { return this.message.translations[this.tongue] || this.message; },
        get tongues() { return ["", ...Object.keys(this.message?.translations || {}).sort()]; },
        get dirty() { return this.canSave && this.snapshot() !== this.saved && (this.c.id !== null || this.c.name !== ""); },
        get state() {
          if (this.busy) return this.texts.saving;
          return this.dirty || !this.c.id ? this.texts.unsaved : this.texts.saved;
        },
        get controls() { return Math.round((this.size || 0) * this.c.control_share); },
        get needsApproval() { return this.checks.some((check) => check.level === "error" && check.field === "approval"); },
        get otherErrors() { return this.dirty || this.checks.some((check) => check.level === "error" && check.field !== "approval"); },
        get approvalAsked() { return this.personAt(this.approval.asked_by, this.approval.asked_at); },
        get approvalDecided() { return this.personAt(this.approval.decided_by, this.approval.decided_at); },
        personAt(who, at) { return at ? `${who}, ${moment(new Date(at))}` : ""; },
        get hasErrors() { return this.checks.some((check) => check.level === "error"); },
        get ruleErrors() { return this.ruleProblems.filter((one) => one.at === this.at).map((one) => one.detail); },
        get lineNumbers() {
          const count = (this.message ? this.text.body : "").split("\n").length;
          return Array.from({ length: count }, (_, i) => i + 1).join("\n");
        },
        get looksText() {
          return this.lookDays.length ? fill(this.texts.looksAt, { days: this.lookDays.map((d) => this.number(d)).join(", ") }) : "";
        },
        get plannedText() {
          if (!this.c.scheduled_at) return "";
          const at = new Date(this.c.scheduled_at);
          if ((this.c.timing.mode || "once") === "once") return moment(at);
          // The first clocks on earth run 14 hours ahead of UTC: theirs is the day that was chosen.
          const day = new Date(at.getTime() + FIRST_CLOCKS).toLocaleDateString(language, { dateStyle: "medium", timeZone: "UTC" });
          return fill(this.texts.plannedLocal, { day });
        },
        payload() {
          const { name, utm, tracks_clicks, kind, channel, segment, sender_name, sender_address, topic, control_share, holdout, test_share, fallback, allocation, learning, plan, timing, messages } = this.c;
          return { name, utm: { ...utm }, tracks_clicks, kind, channel, segment, sender_name, sender_address, topic, control_share, holdout, test_share, fallback, allocation, learning: { ...learning }, plan: { ...plan }, timing: this.timingOf({ ...timing, ...this.draftDate }), messages: messages.map(withoutId) };
        },
        // The date of a draft is saved with it; that of a scheduled campaign is changed by scheduling anew.
        get draftDate() {
          if (this.c.status === "scheduled") return {};
          return this.when === "later" && this.at_local ? { starts: this.at_local, zone: this.zone } : { starts: "" };
        },
        // What repeats is shown by its next time, all else by the date that was chosen: by local time the launch is earlier.
        showDate() {
          const { starts, repeat, zone } = this.c.timing;
          if (this.c.scheduled_at && (repeat || !starts)) this.at_local = this.localTime(this.c.scheduled_at);
          else if (starts) Object.assign(this, { at_local: starts, zone: zone || page.zone });
        },
        // Unused parts of the timing are left out: an empty window is no window.
        timingOf({ own_quiet, window: hours, ...timing }) {
          const set = Object.fromEntries(Object.entries(timing).filter(([, value]) => value !== "" && value !== null));
          if (timing.quiet === "own") set.own_quiet = own_quiet;
          if (hours?.from && hours?.until) set.window = { ...hours, days: hours.days?.length ? hours.days.map(Number) : undefined };
          return set;
        },
        async tellDates() {
          if (!this.c.timing.repeat) { this.dates = null; return; }
          try {
            this.dates = await ask(this.urls.dates, { timing: this.timingOf(this.c.timing), at: this.at_local, time_zone: this.zone });
            delete this.errors["/timing/repeat"];
          } catch (error) {
            this.dates = null;
            for (const { pointer, detail } of error.problem?.errors || []) this.errors[pointer] = detail;
          }
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
        open(i) {
          this.at = i;
          if (!this.tongues.includes(this.tongue)) this.speak("");
        },
        step(by) {
          const n = this.c.messages.length;
          this.at = (this.at + by + n) % n;
          this.$nextTick(() => document.getElementById(`tab-${this.at}`).focus());
        },
        letter() { return String.fromCharCode(65 + this.c.messages.length); },
        add() {
          const first = page.starters[0];
          const name = fill(this.texts.variant, { letter: this.letter() });
          // The same rules as this one: variants that differ by chance compare nothing.
          const { item_count, rules: same, missing } = withoutId(this.message);
          const texts = this.c.channel === "email" ? { subject: first.subject, preheader: first.preheader, body: first.body } : { subject: "", preheader: "", body: "" };
          this.c.messages.push(withId({ key: this.freeKey(), name, weight: 1, ...texts, item_count, rules: same, missing, fields: {}, translations: {} }));
          this.open(this.c.messages.length - 1);
        },
        duplicate() {
          const name = fill(this.texts.variant, { letter: this.letter() });
          this.c.messages.push(withId(JSON.parse(JSON.stringify({ ...withoutId(this.message), key: this.freeKey(), name }))));
          this.open(this.c.messages.length - 1);
        },
        freeKey() {
          const taken = new Set(this.c.messages.map((m) => m.key));
          return [..."abcdefghijklmnopqrstuvwxyz"].find((key) => !taken.has(key)) || "";
        },
        remove() {
          if (!window.confirm(this.texts.removeQuestion)) return;
          this.c.messages.splice(this.at, 1);
          this.open(Math.max(0, this.at - 1));
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
          this.showRules(error);
          for (const { pointer, detail } of error.problem?.errors || []) {
            if (rules.variantOf(pointer, this.at) !== null) continue;
            this.errors[pointer.startsWith("/messages") ? "/messages" : pointer] = detail;
          }
        },
        showRules(error) {
          this.ruleProblems = (error.problem?.errors || [])
            .map(({ pointer, detail }) => ({ at: rules.variantOf(pointer, this.at), detail: rules.named(pointer, detail, this.texts.rules) }))
            .filter((one) => one.at !== null);
          if (!this.ruleProblems.length) return;
          if (!this.ruleErrors.length) this.open(this.ruleProblems[0].at);
          this.$nextTick(() => { this.$refs.rules.open = true; });
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
            if (isNew) await this.namePage();
            // Who is in the segment moves with time: both numbers are of the same moment.
            await Promise.all([this.check(), this.countSegment()]);
          });
        },
        // The page around the form learns that the campaign is there: its name, and what can be done with it.
        async namePage() {
          window.history.replaceState(null, "", this.urls.edit);
          const there = new DOMParser().parseFromString(await (await fetch(this.urls.edit)).text(), "text/html");
          document.title = there.title;
          for (const part of ["h1", ".b-head"]) document.querySelector(part)?.replaceWith(there.querySelector(part));
        },
      };
    });
  });
})();
