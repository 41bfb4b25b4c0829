// Asks while one types, shows only the answer to the newest words, and lets arrows walk through what was found.
(() => {
  const PAUSE_MS = 150;

  function attach(form) {
    const input = form.querySelector("input[type=search]");
    const box = form.querySelector("[data-found]");
    const said = form.querySelector("[data-said]");
    let timer = 0;
    let asked = null;

    const show = (html) => {
      box.innerHTML = html;
      said.textContent = box.querySelector("a") ? said.dataset.some : box.textContent.trim();
      const { left, bottom } = form.getBoundingClientRect();
      box.style.left = `${left}px`;
      box.style.top = `${bottom + 4}px`;
      if (html.trim()) box.showPopover();
      else box.hidePopover();
    };
    const close = () => {
      clearTimeout(timer);
      asked?.abort();
      show("");
    };
    const ask = async () => {
      asked?.abort();
      asked = new AbortController();
      if (!input.value.trim()) return show("");
      try {
        // Posted: addresses are logged, and what is typed may be a person's name.
        const answer = await fetch(form.dataset.find, { method: "POST", body: new FormData(form), signal: asked.signal });
        if (answer.ok && !answer.redirected) show(await answer.text());
      } catch (error) {
        if (error.name !== "AbortError") show("");
      }
    };
    const step = (event, by) => {
      const stops = [input, ...box.querySelectorAll("a")];
      const next = stops[stops.indexOf(document.activeElement) + by];
      if (!next) return;
      event.preventDefault();
      next.focus();
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE_MS);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") step(event, 1);
      if (event.key === "ArrowUp") step(event, -1);
      if (event.key === "Escape" && box.innerHTML) {
        event.preventDefault();
        input.focus();
        close();
      }
    });
    // A form with a method has an answer of its own: the whole list.
    if (!form.hasAttribute("method")) form.addEventListener("submit", (event) => {
      event.preventDefault();
      box.querySelector("a")?.click();
    });
    document.addEventListener("click", (event) => {
      if (!form.contains(event.target)) close();
    });
    if (input.hasAttribute("aria-keyshortcuts")) document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      input.focus();
      input.select();
    });
  }

  document.querySelectorAll("form[data-find]").forEach(attach);
})();
