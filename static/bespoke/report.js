// The report: draws its plots, and asks for fresh parts while something can still happen.

(() => {
  "use strict";

  const { draw } = window.reportCharts;

  document.addEventListener("DOMContentLoaded", () => {
    const state = JSON.parse(document.getElementById("report-data").textContent);
    const redraw = () => draw(state.charts, state.texts);
    // On paper everything is open.
    let closed = [];
    window.addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll(".b-page details:not([open])")];
      closed.forEach((one) => { one.open = true; });
    });
    window.addEventListener("afterprint", () => {
      closed.forEach((one) => { one.open = false; });
    });
    redraw();

    function put(name, html) {
      const part = document.querySelector(`[data-part="${name}"]`);
      // Replacing what has not changed would take the focus from a button and stir screen readers.
      if (part.dataset.html === html) return;
      const open = [...part.querySelectorAll("details")].map((one) => one.open);
      const focused = part.contains(document.activeElement) && document.activeElement.dataset.steer;
      part.innerHTML = html;
      part.dataset.html = html;
      part.querySelectorAll("details").forEach((one, i) => { one.open = Boolean(open[i]); });
      if (focused) part.querySelector(`[data-steer="${focused}"]`)?.focus();
    }

    function take(data) {
      Object.entries(data.parts).forEach(([name, html]) => put(name, html));
      const changed = JSON.stringify(data.charts) !== JSON.stringify(state.charts);
      Object.assign(state, { charts: data.charts, live: data.live, streams: data.streams });
      if (changed) redraw();
      watch();
    }

    // One part, named by `streams`, comes by itself, the rest of the page more slowly; all of it at once when
    // the run ends or halts, or the analysis is made.
    function watch() {
      if (!state.streams || state.stream) return;
      const part = state.streams;
      let status = null;
      state.stream = bespokeLive(state.dataUrl, (data, isLast) => {
        if (data.html) put(part, data.html);
        const isNew = isLast || (status !== null && status !== data.status);
        status = data.status;
        if (isLast) state.stream = null;
        if (isNew) refresh();
      });
    }

    const pause = () => 1000 * (state.stream?.isOpen() ? Math.max(state.live, 10) : state.live);

    async function refresh() {
      clearTimeout(state.timer);
      try {
        if (!document.hidden) {
          const response = await fetch(state.dataUrl);
          if (response.ok) take(await response.json());
        }
      } finally {
        clearTimeout(state.timer);
        if (state.live) state.timer = setTimeout(refresh, pause());
      }
    }
    if (state.live) state.timer = setTimeout(refresh, state.live * 1000);
    watch();

    const post = (url, body) => fetch(url, {
      method: "POST", body,
      headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value, "Content-Type": "application/json" },
    });

    // Only what was changed is sent: the rest of the plan stays as it is.
    function planOf(form) {
      const plan = {};
      const scaled = (input) => (input.type === "number" ? Number(input.value) / Number(input.dataset.scale || 1) : input.value);
      for (const input of form.querySelectorAll("[name]:not([name=reason])")) {
        const was = input.matches("select") ? [...input.options].find((one) => one.defaultSelected)?.value : input.defaultValue;
        if (input.value !== "" && input.value !== was) plan[input.name] = scaled(input);
      }
      const guardrails = [...form.querySelectorAll("[data-guardrail]")];
      if (guardrails.some((input) => input.value !== input.defaultValue)) {
        plan.guardrails = guardrails.filter((input) => input.value !== "").map((input) => ({
          metric: input.dataset.guardrail, margin: scaled(input), is_relative: Boolean(input.dataset.relative),
        }));
      }
      return plan;
    }

    const chosen = (form, name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((input) => input.value);

    document.addEventListener("submit", async (event) => {
      const form = event.target.closest("[data-plan], [data-groups], [data-rate]");
      if (!form) return;
      event.preventDefault();
      const response = form.dataset.rate
        ? await post(form.dataset.rate, JSON.stringify({ per_second: form.per_second.value }))
        : form.dataset.plan
        ? await post(form.dataset.plan, JSON.stringify({ plan: planOf(form), reason: form.reason.value }))
        : await post(form.dataset.groups, JSON.stringify({ traits: chosen(form, "traits"), segments: chosen(form, "segments"), metric: form.metric.value, method: form.method.value }));
      if (response.ok) { window.location.reload(); return; }
      const problem = await response.json();
      const trouble = form.querySelector("[role=alert]");
      trouble.textContent = problem.errors?.map((one) => one.detail).join(" ") || problem.detail || problem.title;
      trouble.hidden = false;
    });

    document.addEventListener("click", async (event) => {
      if (event.target.closest("[data-print]")) { window.print(); return; }
      const button = event.target.closest("[data-steer]");
      if (!button || (button.dataset.confirm && !window.confirm(button.dataset.confirm))) return;
      button.disabled = true;
      const response = await post(button.dataset.steer, button.dataset.body);
      const data = await response.json();
      if (response.ok && !data.parts) { refresh(); }
      else if (response.ok) { const was = state.live; take(data); if (!was && state.live) refresh(); }
      else window.alert(data.detail || data.title);
    });
  });
})();
