// A segment's definition as the tree that the builder edits, each node with an id of its own.

window.segmentTree = (() => {
  "use strict";

  let nextId = 1;

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

  const newFilter = () => ({ id: nextId++, place: "property", name: "", test: newTest() });

  return { newTest, newAggregate, newNode, newFilter, readRoot };
})();
