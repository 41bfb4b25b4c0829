/* The copy buttons of the Connect page. */
document.addEventListener("click", function (event) {
  var button = event.target.closest("[data-copies]");
  if (!button) return;
  navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent).then(function () {
    button.textContent = button.dataset.done;
  });
});
