/* The offer page: a preview of each variant, and one more variant. */
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var look = event.target.closest(".os-look");
    if (look) return preview(look);
    if (event.target.id === "os-add") add();
  });
  function preview(button) {
    var part = button.closest(".os-content"), body = new FormData();
    body.set("body", part.querySelector("textarea").value);
    body.set("item_count", part.querySelector("[name$=item_count]").value);
    body.set("customer", part.querySelector(".os-customer").value);
    fetch(button.dataset.url, {
      method: "POST", body: body,
      headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value }
    }).then(function (answer) { return answer.text(); })
      .then(function (html) { part.querySelector(".os-preview").innerHTML = html; });
  }
  function add() {
    var parts = document.querySelectorAll(".os-content"), total = document.querySelector("[name=contents-TOTAL_FORMS]");
    var at = parts.length, last = parts[at - 1], copy = last.cloneNode(true);
    copy.innerHTML = copy.innerHTML.replace(/contents-\d+-/g, "contents-" + at + "-")
      .replace(/os-(v|p)\d+/g, "os-$1" + (at + 1));
    copy.setAttribute("aria-labelledby", "os-v" + (at + 1));
    copy.querySelector("h2").textContent = copy.querySelector("h2").textContent.replace(/\d+/, at + 1);
    copy.querySelector("textarea").value = last.querySelector("textarea").value;
    copy.querySelector("[name$=-key]").value = String.fromCharCode(97 + at);
    copy.querySelector(".os-preview").textContent = "";
    last.after(copy);
    total.value = at + 1;
    copy.querySelector("input:not([type=hidden])").focus();
  }
})();
