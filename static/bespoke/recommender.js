// Pages of the recommenders: what a list shares with the lists beside it.

(() => {
  "use strict";

  // The same item in the other lists is marked while one looks at it.
  function mark(event) {
    const item = event.target.closest?.("[data-item]")?.dataset.item;
    for (const entry of document.querySelectorAll("[data-item]")) entry.classList.toggle("rc-same", entry.dataset.item === item);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.addEventListener("mouseover", mark);
    for (const failed of ["htmx:responseError", "htmx:sendError"]) {
      document.addEventListener(failed, ({ detail: { elt } }) => { if (elt.dataset.failed) elt.textContent = elt.dataset.failed; });
    }
  });
})();
