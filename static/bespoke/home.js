// What goes out now, as it goes.
document.addEventListener("DOMContentLoaded", () => {
  const url = document.getElementById("home-live")?.dataset.live;
  if (!url) return;
  window.homeStream = bespokeLive(url, (data) => {
    const old = document.querySelector("[aria-labelledby=home-runs].b-card");
    if (!data.html || !old) return;
    old.outerHTML = data.html;
    htmx.process(document.querySelector("[aria-labelledby=home-runs].b-card"));
  });
});
