// What the test could see, from the past of the shop’s own customers, and its guardrails.
// A part of the campaign editor: methods of its state (`this`), made from what the editor gives.
(() => {
  "use strict";

  window.campaignPlan = ({ ask, guardrailMetrics }) => ({
    // What the test could see, from the past of the shop's own customers.
    async lookAhead() {
      if (!this.c.segment) { this.outlook = null; return; }
      const payload = this.payload();
      payload.messages = payload.messages.map(({ key, name, weight }) => ({ key, name, weight }));
      const asked = JSON.stringify({ ...payload, name: "" });
      if (asked === this.askedOutlook) return;
      this.askedOutlook = asked;
      const turn = ++this.planTurn;
      try {
        const data = await ask(this.urls.outlook, payload);
        if (turn !== this.planTurn) return;
        this.outlook = data.outlook;
        this.lookDays = data.looks || [];
        this.lengthDays = data.length_days || "";
        this.guardrails = data.guardrails || [];
        this.decides = data.metric || "";
        this.planTrouble = "";
      } catch (error) {
        if (turn !== this.planTurn) return;
        this.outlook = null;
        this.planTrouble = error.message || this.texts.failed;
      }
    },
    // Guardrails: a margin is kept as a fraction, and shown as percent or percentage points.
    marginScale(g) { return g.is_relative || this.shares.includes(g.metric) ? 100 : 1; },
    marginShown(g) { return g.margin === "" ? "" : Number((g.margin * this.marginScale(g)).toPrecision(6)); },
    setMargin(g, text) { g.margin = text === "" ? "" : Number(text) / this.marginScale(g); },
    setUnit(g, unit) {
      const shown = this.marginShown(g);
      g.is_relative = unit === "relative";
      this.setMargin(g, String(shown));
    },
    chooseGuardrails() {
      this.c.plan.guardrails = this.guardrails.map(({ metric, margin, is_relative }) => ({ metric, margin, is_relative }));
      if (!this.guardrails.length) this.addGuardrail();
    },
    addGuardrail() {
      const taken = [this.c.plan.metric || this.decides, ...this.c.plan.guardrails.map((one) => one.metric)];
      const metric = guardrailMetrics.find((key) => !taken.includes(key)) || guardrailMetrics[0] || "";
      this.c.plan.guardrails.push({ metric, margin: this.shares.includes(metric) ? 0.002 : 0.05, is_relative: !this.shares.includes(metric) });
    },
  });
})();
