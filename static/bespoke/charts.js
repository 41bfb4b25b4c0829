// Charts, once somebody looks: the library is fetched for the first one that comes on the screen. Until then its
// place is kept free, and what it shows stands in words and tables beside it.

(() => {
  "use strict";

  const { library } = document.currentScript.dataset;
  let loading = null;

  // Resolves once `echarts` is there; a fetch that failed is tried again by who asks next.
  function load() {
    loading ||= new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: library, onload: done, onerror: failed });
      document.head.append(script);
    }).catch((error) => { loading = null; throw error; });
    return loading;
  }

  // Calls `draw` when the box is on the screen. What is hidden is not: the shell hides the page until Alpine is up.
  function whenSeen(box, draw) {
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      load().then(draw);
    }).observe(box);
  }

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
