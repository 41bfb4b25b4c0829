// A menu that opens below its button closes like any other: by Escape, and by a click beside it.
(() => {
  const close = (menu) => { menu.open = false; };

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.b-more[open]")) if (!menu.contains(event.target)) close(menu);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.b-more[open]")) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      close(menu);
    }
  });
})();
