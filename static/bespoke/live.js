// Server-sent events of a page: `take(data, isLast)` for each. The browser comes back by itself when a stream
// ends; where there is no place for one (204), it is tried again later, and the page asks as if there were none.
function bespokeLive(url, take) {
  const AGAIN_MILLISECONDS = 30000;
  let source = null;
  let timer = null;
  let isOver = false;

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function open() {
    if (isOver || source || document.hidden) return;
    source = new EventSource(url);
    source.addEventListener("progress", (event) => take(JSON.parse(event.data), false));
    source.addEventListener("end", (event) => {
      isOver = true;
      close();
      take(JSON.parse(event.data), true);
    });
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      timer = setTimeout(open, AGAIN_MILLISECONDS);
    };
  }

  // A page that nobody looks at holds no stream.
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
  open();
  return { isOpen: () => source?.readyState === EventSource.OPEN };
}

// The part of a page that tells how far something is: [data-live] names the address of its stream. Until there is a
// stream, htmx asks for the part.
document.addEventListener("DOMContentLoaded", () => {
  const { id, dataset } = document.querySelector("[data-live]") || {};
  if (!id) return;
  window.liveStream = bespokeLive(dataset.live, ({ html, reload }) => {
    if (reload) { window.location.reload(); return; }
    const old = document.getElementById(id);
    if (!html || !old) return;
    const focused = old.contains(document.activeElement) && document.activeElement.id;
    old.outerHTML = html;
    const fresh = document.getElementById(id);
    if (fresh) htmx.process(fresh);
    if (focused) document.getElementById(focused)?.focus();
    document.body.dispatchEvent(new Event("live:shown"));
  });
});
