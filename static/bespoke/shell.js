// What the shell's own pages say, in our words: names of icons are nobody's words, what can be scrolled is called so
// in the reader's language, and heads of columns begin as they do on a desk where rows become cards.
(() => {
  const { scrolls, home, more } = document.currentScript.dataset;
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    icon.ariaHidden = "true";
    const link = icon.closest("a, button");
    // Two are nothing but an icon: the way home, and what opens more actions.
    const isBare = link && !link.ariaLabel && !link.title && link.textContent.trim() === icon.textContent.trim();
    if (isBare) link.ariaLabel = link.matches('[href="#"], button') ? more : home;
  }
  // Read by SimpleBar when the page is there.
  for (const box of document.querySelectorAll("[data-simplebar]")) box.dataset.simplebarAriaLabel = scrolls;
  for (const cell of document.querySelectorAll("td[data-label], th[data-label]")) {
    const { label } = cell.dataset;
    cell.dataset.label = label.charAt(0).toUpperCase() + label.slice(1);
  }
})();
