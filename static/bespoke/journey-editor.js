// The canvas of a journey: steps are added, moved, led elsewhere and removed by dragging, by clicks alone, and by keys.
// The server holds the draft; each change is one POST, after which the page's parts are taken from a new answer.
(() => {
  const FAR_PX = 6; // a press that moves less is a click
  const NEAR_PX = 48; // a drop so near to a + counts
  let hand = null; // what waits for its place: {kind, name}, {move, name} or {lead: [step, way]}
  let drag = null;
  let hasDragged = false;
  let queue = Promise.resolve();

  const $ = (selector) => document.querySelector(selector);
  const editor = () => $("#jn-editor");
  const token = () => editor().querySelector("[name=csrfmiddlewaretoken]").value;

  function say(text, refused = false) {
    const place = $("#jn-said");
    place.textContent = text;
    place.classList.toggle("jn-refused", refused);
  }

  function send(fields) {
    queue = queue.then(() => change(fields)).catch((error) => say(String(error.message || error), true));
    return queue;
  }

  async function change(fields) {
    const body = fields instanceof URLSearchParams ? fields : new URLSearchParams(fields);
    body.set("csrfmiddlewaretoken", token());
    const answer = await fetch(editor().dataset.edit, { method: "POST", body, headers: { accept: "application/json" } });
    const { url, said } = await answer.json();
    if (answer.ok) await show(url);
    say(said, !answer.ok);
  }

  async function show(url) {
    const page = new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html");
    const active = document.activeElement;
    const isTyping = $("#jn-panel").contains(active) && "defaultValue" in active && active.value !== active.defaultValue;
    const id = active.id;
    const next = page.querySelector("#jn-editor");
    // What somebody types meanwhile must not be taken from under their hands.
    if (isTyping) next.querySelector("#jn-panel").replaceWith($("#jn-panel"));
    editor().replaceWith(next);
    window.htmx?.process(next);
    history.replaceState(null, "", url);
    fit();
    // Of a step that is gone the focus goes to the canvas, not to the top of the page.
    if (id) (document.getElementById(id) || $(".jn-stage")).focus({ preventScroll: true });
  }

  // Wide journeys are drawn smaller rather than scrolled sideways.
  function fit() {
    const stage = $(".jn-stage");
    const canvas = stage?.querySelector(".jn-canvas");
    if (!canvas) return;
    canvas.style.zoom = 1;
    const room = stage.clientWidth - 40;
    canvas.style.zoom = Math.min(1, Math.max(0.4, room / canvas.offsetWidth));
  }

  function take(what) {
    hand = what;
    $(".jn-stage").classList.toggle("jn-holding", Boolean(hand && !hand.lead));
    $(".jn-stage").classList.toggle("jn-leading", Boolean(hand?.lead));
    document.querySelectorAll(".jn-held").forEach((node) => node.classList.remove("jn-held"));
    if (hand?.move) document.getElementById(`jn-${hand.move}`)?.classList.add("jn-held");
    if (hand) say(hand.lead ? editor().dataset.leading : editor().dataset.held.replace("{name}", hand.name));
    else say("");
  }

  function put(what, plus) {
    const { after, way } = plus.dataset;
    take(null);
    if (what.kind) send({ do: "add", kind: what.kind, node: after, way });
    else send({ do: "move", node: what.move, after, way });
  }

  function lead([node, way], target) {
    take(null);
    send({ do: "connect", node, way, target });
  }

  function openMenu(plus) {
    const menu = $("#jn-menu");
    menu.dataset.after = plus.dataset.after;
    menu.dataset.way = plus.dataset.way;
    menu.querySelector("[data-lead]").hidden = !plus.dataset.after;
    menu.showPopover();
    const { left, bottom } = plus.getBoundingClientRect();
    menu.style.left = `${Math.min(left, innerWidth - menu.offsetWidth - 8)}px`;
    menu.style.top = `${Math.min(bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
    menu.querySelector("button").focus();
  }

  // --- Clicks -----------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    if (hasDragged) { hasDragged = false; event.preventDefault(); event.stopPropagation(); return; }
    const at = (selector) => event.target.closest?.(`#jn-editor ${selector}`);
    const plus = at(".jn-plus");
    const node = at("[data-node]");
    const item = at("[role=menuitem]");
    const kind = at("[data-kind]");
    const holder = at("[data-hold]");
    if (plus) { if (hand && !hand.lead) put(hand, plus); else openMenu(plus); }
    else if (node && hand?.lead) { event.preventDefault(); lead(hand.lead, node.dataset.node); }
    else if (item) {
      const { after, way } = $("#jn-menu").dataset;
      $("#jn-menu").hidePopover();
      if ("lead" in item.dataset) take({ lead: [after, way] });
      else send({ do: "add", kind: item.dataset.add, node: after, way });
    } else if (kind) take({ kind: kind.dataset.kind, name: kind.dataset.name });
    else if (holder) take({ move: holder.dataset.hold, name: holder.dataset.name });
  }, true);

  // --- Dragging: of a kind, a step or a way (its +) ------------------------------------------------------------------
  document.addEventListener("pointerdown", (event) => {
    hasDragged = false;
    if (event.button || event.pointerType === "touch") return; // fingers scroll; for them there are the clicks
    const from = event.target.closest?.("#jn-editor :is([data-kind], [data-node], .jn-plus)");
    if (!from || !$("#jn-menu")) return;
    const { kind, node, after, way, name } = from.dataset;
    if (kind) drag = { what: { kind, name } };
    else if (node) drag = { what: { move: node, name } };
    else if (after) drag = { what: { lead: [after, way], name: "→" } };
    if (drag) Object.assign(drag, { x: event.clientX, y: event.clientY });
  });

  function targetAt(x, y, what) {
    if (what.lead) {
      const node = document.elementFromPoint(x, y)?.closest("[data-node]");
      return node && node.dataset.node !== what.lead[0] ? node : null;
    }
    const middle = ({ left, top, width, height }) => Math.hypot(left + width / 2 - x, top + height / 2 - y);
    const all = [...document.querySelectorAll(".jn-plus")].map((plus) => [middle(plus.getBoundingClientRect()), plus]);
    const [distance, nearest] = all.sort((a, b) => a[0] - b[0])[0] || [Infinity];
    return distance <= NEAR_PX ? nearest : null;
  }

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR_PX) return;
      drag.ghost = document.body.appendChild(Object.assign(document.createElement("div"), { className: "jn-ghost", textContent: drag.what.name }));
      take(drag.what);
    }
    event.preventDefault();
    drag.ghost.style.left = `${event.clientX + 12}px`;
    drag.ghost.style.top = `${event.clientY + 12}px`;
    drag.target?.classList.remove("jn-target");
    drag.target = targetAt(event.clientX, event.clientY, drag.what);
    drag.target?.classList.add("jn-target");
  });

  function drop(isWanted) {
    const { ghost, target, what } = drag;
    drag = null;
    if (!ghost) return;
    ghost.remove();
    hasDragged = isWanted;
    take(null);
    target?.classList.remove("jn-target");
    if (!target || !isWanted) return;
    if (what.lead) lead(what.lead, target.dataset.node);
    else put(what, target);
  }

  document.addEventListener("pointerup", () => drag && drop(true));
  document.addEventListener("pointercancel", () => drag && drop(false));
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".jn-node")) event.preventDefault(); });

  // --- Keys -------------------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
    const node = event.target.closest?.("#jn-editor [data-node]");
    const key = event.key.toLowerCase();
    if (key === "escape" && (drag || hand)) { if (drag) drop(false); take(null); }
    else if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y") && !writes) {
      event.preventDefault();
      send({ do: key === "y" || event.shiftKey ? "redo" : "undo", node: chosen() });
    } else if (node && key === "delete") { event.preventDefault(); send({ do: "remove", node: node.dataset.node }); }
    else if (node && key === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      take({ move: node.dataset.node, name: node.dataset.name });
      $(".jn-plus").focus();
    } else if (event.target.closest?.("#jn-menu") && (key === "arrowdown" || key === "arrowup")) {
      event.preventDefault();
      const items = [...document.querySelectorAll("#jn-menu button:not([hidden])")];
      const step = key === "arrowdown" ? 1 : items.length - 1;
      items[(items.indexOf(document.activeElement) + step) % items.length].focus();
    }
  });
  const chosen = () => new URLSearchParams(location.search).get("node") || "";

  // --- Forms of the panel, saved as soon as something is changed ------------------------------------------------------
  const fieldsOf = (form, submitter) => new URLSearchParams(new FormData(form, submitter));
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("#jn-editor form[data-autosave]");
    if (form) send(fieldsOf(form));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches?.("#jn-editor form") || form.getAttribute("action") !== editor().dataset.edit) return;
    event.preventDefault();
    send(fieldsOf(form, event.submitter));
  });

  // The live counts draw the canvas anew: not while something is in the hand.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.closest?.(".jn-stage") && (drag || hand || $("#jn-menu")?.matches(":popover-open"))) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSettle", fit);
  addEventListener("resize", fit);
  document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(fit));
})();
