// Fills lists of suggestions with the time zones that this browser knows.
document.addEventListener("DOMContentLoaded", () => {
  const zones = ["UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])];
  for (const list of document.querySelectorAll("datalist[data-zones]")) {
    list.replaceChildren(...[...new Set(zones)].map((zone) => new Option("", zone)));
  }
});
