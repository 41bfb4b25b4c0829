// Charts, once somebody looks: the library is fetched for the first one that comes on the screen, or for paper.
// Until then its place is kept free, and what it shows stands in words and tables beside it.

(() => {
  "use strict";

  const { library } = document.currentScript.dataset;
  const PAPER_WIDTH = 640;
  let loading = null;

  // Resolves once `echarts` is there; a fetch that failed is tried again by who asks next.
  function load() {
    loading ||= new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: library, onload: done, onerror: failed });
      document.head.append(script);
    }).catch((error) => { loading = null; throw error; });
    return loading;
  }

  const waiting = new Map(); // what draws, by box
  const drawn = new Set();

  function drawIn(box) {
    const draw = waiting.get(box);
    waiting.delete(box);
    if (!draw || !box.isConnected) return;
    drawn.add(box);
    draw();
  }

  // Calls `draw` when the box is on the screen. What is hidden is not: the shell hides the page until Alpine is up.
  function whenSeen(box, draw) {
    waiting.set(box, draw);
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      load().then(() => drawIn(box));
    }).observe(box);
  }

  // Paper waits for nothing: the library is read while the page stands still.
  function loadNow() {
    if (window.echarts) return;
    const request = new XMLHttpRequest();
    request.open("GET", library, false);
    request.send();
    if (request.status === 200) (0, eval)(request.responseText);
  }

  function resizeAll(widthOf) {
    for (const box of drawn) {
      if (box.isConnected) echarts.getInstanceByDom(box)?.resize({ width: widthOf(box) });
      else drawn.delete(box);
    }
  }

  // On paper every chart is there, and as wide as the paper.
  window.addEventListener("beforeprint", () => {
    if (waiting.size) loadNow();
    if (!window.echarts) return;
    for (const box of [...waiting.keys()]) drawIn(box);
    resizeAll((box) => Math.min(PAPER_WIDTH, box.clientWidth || PAPER_WIDTH));
  });
  window.addEventListener("afterprint", () => resizeAll(() => "auto"));

  // A chart as a picture for slides: PNG at twice its size.
  async function savePicture(chart, name, background) {
    const svg = chart.getDom().querySelector("svg").cloneNode(true);
    svg.style.fontFamily = "system-ui, sans-serif"; // a picture knows no font of the page
    const source = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
    const drawing = Object.assign(new Image(), { src: source });
    await drawing.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * chart.getWidth(), height: 2 * chart.getHeight() });
    const pen = canvas.getContext("2d");
    pen.fillStyle = background;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(drawing, 0, 0, canvas.width, canvas.height);
    Object.assign(document.createElement("a"), { href: canvas.toDataURL("image/png"), download: `${name}.png` }).click();
  }

  window.bespokeCharts = { load, savePicture, whenSeen };
})();
