// What a message says: its languages (one message, of which each customer gets one text), and what is put in.
// A part of the campaign editor: methods of its state (`this`), made from what the editor gives.
(() => {
  "use strict";

  window.campaignTexts = ({ fill, blankText, starters }) => ({
    speak(code) {
      this.tongue = code;
      this.language = code || this.tongues.length > 1 ? code : null;
      this.refresh();
    },
    tongueName(code) {
      if (!code) return this.texts.everybody;
      try {
        const names = new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "language" });
        return `${names.of(code)} (${code})`;
      } catch { return code; }
    },
    unwritten(code) {
      return code && ["subject", "preheader", "body"].some((part) => (part === "body" || this.form.named.includes(part)) && this.message[part].trim() && !this.message.translations[code][part].trim());
    },
    stepTongue(by) {
      const all = this.tongues;
      this.speak(all[(all.indexOf(this.tongue) + by + all.length) % all.length]);
      this.$nextTick(() => document.getElementById(`tongue-${this.tongue}`).focus());
    },
    addTongue() {
      const code = this.newTongue.trim().replaceAll("_", "-").toLowerCase();
      this.tongueTrouble = "";
      if (!/^[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}$/.test(code)) this.tongueTrouble = this.texts.tongueWrong;
      else if (this.message.translations[code]) this.tongueTrouble = this.texts.tongueTaken;
      if (this.tongueTrouble) return;
      this.message.translations[code] = blankText();
      this.newTongue = "";
      this.speak(code);
    },
    removeTongue() {
      if (!window.confirm(fill(this.texts.removeTongue, { language: this.tongueName(this.tongue) }))) return;
      delete this.message.translations[this.tongue];
      this.speak("");
    },
    copyText() {
      const { subject, preheader, body, fields } = this.message;
      const given = { subject, preheader, body };
      for (const part of Object.keys(given)) if (!this.text[part].trim()) this.text[part] = given[part];
      this.text.fields = { ...fields, ...this.text.fields };
    },
    start(event) {
      const starter = starters.find((s) => s.key === event.target.value);
      event.target.value = "";
      if (!starter || !window.confirm(this.texts.replaceQuestion)) return;
      Object.assign(this.text, { subject: starter.subject, preheader: starter.preheader, body: starter.body });
    },
    insert(text) {
      const field = this.$refs[this.last] || this.$refs.body;
      const from = field.selectionStart ?? field.value.length;
      const flat = this.last === "body" ? text : text.replace(/\s*\n\s*/g, " ");
      this.text[this.last] = field.value.slice(0, from) + flat + field.value.slice(field.selectionEnd ?? from);
      this.$nextTick(() => { field.focus(); field.setSelectionRange(from + flat.length, from + flat.length); });
    },

    suggest(field) {
      const area = this.$refs.body;
      const own = field === "body" ? this.text.body.slice(area.selectionStart, area.selectionEnd).trim() : this.text[field];
      // A text that is not written yet is asked for as a translation of the one for everybody.
      const source = own || (this.tongue && field !== "body" ? this.message[field] : "");
      if (this.tongue) Object.assign(this.sg, { language: this.tongue, wish: own ? this.sg.wish : "translate" });
      Object.assign(this.sg, { field, source, label: field === "body" ? this.texts.selected : this.texts[field] });
      this.$nextTick(() => document.getElementById("sg-source").focus());
    },
    useSuggestion(event) {
      const { field, text, source } = event.target.closest(".sg-use")?.dataset || {};
      if (!field || !this.canSave) return;
      if (field !== "body") this.text[field] = text;
      else if (source && this.text.body.includes(source)) this.text.body = this.text.body.replace(source, () => text);
      else { this.last = "body"; this.insert(text); }
      this.note = this.texts.putIn;
    },
  });
})();
