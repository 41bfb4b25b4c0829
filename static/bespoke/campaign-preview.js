// The message as a customer would get it, and the visual editor beside it.
// A part of the campaign editor: methods of its state (`this`), made from what the editor gives.
(() => {
  "use strict";

  window.campaignPreview = ({ ask, fill, withoutId, visual }) => ({
    async refresh() {
      if (!this.message) return;
      const turn = ++this.turn;
      try {
        const data = await ask(this.urls.preview, this.example());
        if (turn !== this.turn) return;
        this.note = "";
        this.ruleProblems = [];
        this.about = data.items;
        if (data.customer) this.who = data.customer;
        if (data.rendered) this.rendered = data.rendered;
        this.problems = data.problems;
        this.gets = data.language;
        this.subjectOutlook = data.subject_outlook;
        this.fields = data.fields.slice(0, 8);
      } catch (error) {
        if (turn !== this.turn) return;
        this.note = error.message || this.texts.failed;
        this.showRules(error);
      }
    },
    // The message as it is written now, for the customer of the preview.
    example() {
      const { key, subject, preheader, body, item_count, rules, fields, missing, translations } = withoutId(this.message);
      return { channel: this.c.channel, utm: { ...this.c.utm }, tracks_clicks: this.c.tracks_clicks, key, subject, preheader, body, fields, item_count, rules, missing, translations, name: this.c.name, segment: this.c.segment, customer: this.who?.id, language: this.language };
    },
    async tellLanguages() {
      this.languages = (await ask(this.urls.languages, this.example())).rows;
    },
    previewIn(row) {
      if (this.tongues.includes(row.gets)) { this.speak(row.gets); return; }
      this.language = row.gets || row.languages.find((one) => one) || "";
      this.refresh();
    },
    async find() {
      this.found = (await ask(this.urls.customers, { words: this.words })).customers;
    },
    choose(customer) {
      this.who = customer;
      this.language = null;
      this.found = [];
      this.words = "";
      this.refresh();
    },
    // What an inbox shows behind the subject: without a preview text, how the message begins.
    inboxText() {
      return this.rendered?.preheader || (this.rendered?.text || "").replace(/\s+/g, " ").trim().slice(0, 140);
    },
    // How many characters of a subject are seen; Chinese ones are twice as wide.
    subjectRoom() {
      const letters = [...(this.rendered?.subject || "")];
      const wide = letters.filter((one) => one.codePointAt(0) >= 0x2e80).length;
      const each = wide > letters.length / 2 ? 2 : 1;
      return { length: letters.length, phone: 40 / each, desktop: 70 / each, isLong: letters.length + wide > 70 };
    },
    place(problem) {
      return problem.language ? `${this.tongueName(problem.language)}, ${this.part(problem)}` : this.part(problem);
    },
    part(problem) {
      const field = this.texts[problem.field] || problem.field;
      const own = this.form.fields.find((f) => f.name === problem.field);
      if (own) return `${own.label}:`;
      return problem.line && problem.field === "body" ? `${field}, ${fill(this.texts.line, { line: problem.line })}:` : `${field}:`;
    },
    goto(problem) {
      if (this.tongue !== problem.language && this.tongues.includes(problem.language)) this.speak(problem.language);
      this.$nextTick(() => this.mark(problem));
    },
    mark(problem) {
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
      const { sender_name, sender_address, channel } = this.c;
      this.testSaid = this.testTrouble = "";
      this.busy = true;
      try {
        const data = await ask(this.urls.sendTest, { ...this.example(), sender_name, sender_address, to: this.testTo[channel] || "" });
        this.testSaid = fill(this.texts.testSent, data);
      } catch (error) {
        this.testTrouble = error.message || this.texts.failed;
      } finally {
        this.busy = false;
      }
    },

    // The visual editor writes into the code, so that the preview beside it is the message itself.
    async openVisual() {
      this.visualTrouble = "";
      this.visualBefore = this.text.body;
      const message = this.text;
      this.$refs.visual.showModal();
      try {
        const place = document.createElement("div");
        place.setAttribute("x-ignore", "");
        this.$refs.visualPlace.replaceChildren(place);
        this.visual = await window.visualEditor.open(place, {
          source: message.body, onChange: (body) => { message.body = body; }, ...visual, texts: this.texts,
        });
      } catch (error) {
        this.$refs.visual.close();
        this.visualTrouble = error.message || this.texts.failed;
      }
    },
    closeVisual() {
      this.visual?.end();
      this.visual = null;
      this.$refs.visualPlace.replaceChildren();
    },
    takeVisualBack() {
      this.$refs.visual.close();
      this.text.body = this.visualBefore;
    },
  });
})();
