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
