// Which tests suit a condition of the builder, and what may stand in its fields: mixed into the builder.

window.segmentChoices = (() => {
  "use strict";

  const { newTest, newAggregate, newFilter } = window.segmentTree;
  const FILTER_KINDS = ["any", "text", "number", "date"];
  const ITEM_NAMES = ["category", "brand", "price", "id", "name"];

  return {
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

    // “City” and “First Name”, as a file calls them, are the traits city and first_name; so is half of a label with a slash.
    knownTrait(written) {
      const plain = (text) => text.toLowerCase().replace(/[\s_-]/g, "");
      const { traits } = this.vocabulary;
      if (traits.some((trait) => trait.name === written)) return written;
      const meant = traits.find((trait) => [trait.name, trait.label, ...trait.label.split("/")].some((name) => plain(name) === plain(written)));
      return meant ? meant.name : written;
    },

    settle(row) {
      row.trait = this.knownTrait(row.trait);
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
      agg.where.push(newFilter());
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
  };
})();
