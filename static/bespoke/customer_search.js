// Asks while one types, and shows only the answer to the newest words.
(() => {
  const input = document.getElementById("customer-search");
  const found = document.getElementById("customer-found");
  let timer = 0;
  let asked = null;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asked?.abort();
      asked = new AbortController();
      const words = input.value.trim();
      if (!words) {
        found.replaceChildren();
        return;
      }
      try {
        const answer = await fetch(`${input.dataset.address}?q=${encodeURIComponent(words)}`, { signal: asked.signal });
        if (answer.ok) found.innerHTML = await answer.text();
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    }, 150);
  });
})();
