/* Fills the slots of a page: <div data-bespoke="hero">default content</div>
   <script async src="https://your-host/static/bespoke/onsite.js" data-key="sdk-…"></script>
   data-consent="required" waits for bespoke.consent(true). Who sends Do Not Track or Global Privacy Control
   is nobody to us: no id is made, nothing is reported. See docs/on-the-page.md. */
(function () {
  "use strict";
  var script = document.currentScript, host = new URL(script.src).origin, key = script.dataset.key;
  var wait = +(script.dataset.wait || 400), name = "bespoke_id";
  var isPrivate = navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";
  var needsConsent = script.dataset.consent === "required", agreed = false, asked = false;
  var hidden = document.createElement("style");
  hidden.textContent = "[data-bespoke]:not([data-bespoke-done]){visibility:hidden}";

  function anonymousId() {
    if (isPrivate) return "";
    try {
      var id = localStorage.getItem(name) || (localStorage.getItem("ajs_anonymous_id") || "").replace(/"/g, "");
      if (!id) {
        id = crypto.randomUUID ? crypto.randomUUID() : Date.now().toString(36) + Math.random().toString(36).slice(2);
        localStorage.setItem(name, id);
      }
      return id;
    } catch (error) { return ""; }
  }
  function campaign() {
    var found = {}, given = new URLSearchParams(location.search);
    ["source", "medium", "campaign"].forEach(function (part) {
      var value = given.get("utm_" + part);
      if (value) found[part === "campaign" ? "name" : part] = value;
    });
    return found;
  }
  function post(path, body, last) {
    return fetch(host + path, {
      method: "POST", keepalive: !!last, credentials: "omit", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", Authorization: "Bearer " + key }
    });
  }
  function report(kind, token) {
    if (isPrivate || !token) return;
    post("/api/v1/decide/reports", {
      reports: [{ kind: kind, token: token, at: new Date().toISOString() }], anonymous_id: anonymousId()
    }, true).catch(function () {});
  }
  function show(slot, decided) {
    if (slot.hasAttribute("data-bespoke-done")) return;
    slot.setAttribute("data-bespoke-done", decided ? decided.reason : "late");
    if (!decided) return;
    if (decided.reason === "chosen") slot.innerHTML = decided.content;
    else if (decided.content && !slot.innerHTML.trim()) slot.innerHTML = decided.content;
    if (!decided.token) return;
    slot.addEventListener("click", function (event) {
      if (event.target.closest("a,button")) report("clicked", decided.token);
    });
    var seen = new IntersectionObserver(function (entries) {
      if (!entries.some(function (entry) { return entry.isIntersecting; })) return;
      seen.disconnect();
      report("seen", decided.token);
    }, { threshold: 0.5 });
    seen.observe(slot);
  }
  function fill() {
    if (asked) return;
    var slots = [].slice.call(document.querySelectorAll("[data-bespoke]"));
    if (!slots.length) return hidden.remove();
    asked = true;
    function all(decided) {
      slots.forEach(function (slot) { show(slot, decided && decided[slot.dataset.bespoke]); });
      hidden.remove();
    }
    var late = setTimeout(all, wait);
    var names = slots.map(function (slot) { return slot.dataset.bespoke; });
    post("/api/v1/decide", {
      placements: names.filter(function (one, at) { return names.indexOf(one) === at; }).slice(0, 20),
      anonymous_id: anonymousId(), seen: false, private: isPrivate,
      context: {
        page: { url: location.href.split(/[?#]/)[0], referrer: document.referrer }, userAgent: navigator.userAgent,
        locale: navigator.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, campaign: campaign()
      }
    }).then(function (answer) { if (!answer.ok) throw answer; return answer.json(); }).then(function (answer) {
      clearTimeout(late);
      var decided = {};
      answer.placements.forEach(function (one) { decided[one.placement] = one; });
      all(decided);
    }).catch(function () { clearTimeout(late); all(); });
  }
  function ready() {
    if (needsConsent && !agreed) return;
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fill);
    else fill();
  }
  window.bespoke = {
    consent: function (yes) {
      agreed = !!yes;
      if (agreed) return ready();
      try { localStorage.removeItem(name); } catch (error) { /* nothing was kept */ }
    },
    anonymousId: anonymousId
  };
  if (!needsConsent) document.head.appendChild(hidden);
  ready();
})();
