// Rules for recommended items in the campaign editor: their empty state, what of them is saved, and the
// boxes in which categories, brands and items are picked.

(() => {
  "use strict";

  const PATH = /^(\/messages\/(\d+))?\/(rules\/.*|item_count)$/;
  const LISTS = ["categories", "not_categories", "brands", "pinned", "not_items"];
  const NO_RULES = {
    bought: "exclude", price_min: "", price_max: "", max_per_category: "", not_in_last_messages: "", diversity: "",
  };

  window.campaignRules = {
    // Every rule has a value, so that every control has something to hold on to.
    open(rules) {
      const lists = Object.fromEntries(LISTS.map((name) => [name, [...(rules[name] || [])]]));
      const filled = Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== null));
      return { ...NO_RULES, ...filled, ...lists };
    },
    // Which variant a problem's pointer means (`at` where it names none), null where it is not about rules.
    variantOf(pointer, at) {
      const found = PATH.exec(pointer);
      return found && (found[2] === undefined ? at : Number(found[2]));
    },
    // The problem with the label of its control before it.
    named(pointer, detail, labels) {
      const label = labels[pointer.split("/").find((part) => part in labels)];
      return label ? `${label}: ${detail}` : detail;
    },
    // Only what differs from no rule; prices as they were typed.
    close(rules) {
      const kept = Object.entries(rules).filter(([name, value]) =>
        Array.isArray(value) ? value.length : value !== "" && value !== null && value !== NO_RULES[name]);
      return Object.fromEntries(kept.map(([name, value]) => [name, name === "diversity" ? Number(value) : value]));
    },
  };

  document.addEventListener("alpine:init", () => {
    // Stands inside the editor: `message`, `itemNames` and `urls` are the editor's.
    Alpine.data("rulePicker", (field, of) => ({
      words: "", offered: [], turn: 0,

      get picked() { return this.message.rules[field]; },
      label(value) { return of === "items" ? this.itemNames[value] || value : value; },
      dropLabel(value) { return this.texts.drop.replace("%(name)s", () => this.label(value)); },
      async offer() {
        const turn = ++this.turn;
        const answer = await fetch(`${this.urls.ruleChoices}?of=${of}&q=${encodeURIComponent(this.words)}`);
        if (!answer.ok || turn !== this.turn) return;
        const { choices } = await answer.json();
        this.offered = choices.filter((choice) => !this.picked.includes(choice.value));
      },
      pick(choice) {
        if (!choice) return;
        if (of === "items") this.itemNames[choice.value] = choice.label;
        if (!this.picked.includes(choice.value)) this.picked.push(choice.value);
        this.$refs.words.focus();
        this.close(); // after the focus, which asks for choices
      },
      drop(value) { this.message.rules[field] = this.picked.filter((one) => one !== value); },
      leave(event) { if (!this.$root.contains(event.relatedTarget)) this.close(); },
      close() { this.turn++; this.words = ""; this.offered = []; },
    }));
  });
})();
