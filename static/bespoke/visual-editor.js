// GrapesJS over one message: what is changed there is written into the code at once, and can be taken back as a whole.
// Needs visual-liquid.js. Loaded with the page; the editor itself only when somebody opens it.

(() => {
  "use strict";

  const WRITE_DELAY = 500;
  const TYPES = ["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer"];
  const INSIDE = ["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"];
  const BLOCKS = ["mj-1-column", "mj-2-columns", "mj-3-columns", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-hero", "mj-wrapper"];
  const ICONS = { "sw-visibility": "select", "open-sm": "brush", "open-tm": "tune", "open-layers": "layers", "open-blocks": "add_box" };
  const KEPT_BUTTONS = ["undo", "redo", "set-device-desktop", "set-device-tablet", "set-device-mobile"];
  const PICTURE = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="350" height="200"><rect width="100%" height="100%" fill="#cbd5e1"/></svg>');
  let loading = null;

  function load(assets) {
    const script = (src) => new Promise((resolve, reject) => {
      document.head.append(Object.assign(document.createElement("script"), { src, onload: resolve, onerror: reject }));
    });
    loading ||= (async () => {
      document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: assets.css }));
      for (const src of assets.scripts) await script(src);
    })();
    loading.catch(() => { loading = null; });
    return loading;
  }

  const escapeAttribute = (value) => String(value).replace(/&(?!#?\w+;)/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  const escaped = (attributes) => Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, escapeAttribute(value)]));

  // What <mj-attributes> says of each element, by its name.
  function defaultsOf(head) {
    const own = {};
    const [, inner = ""] = /<mj-attributes>([\s\S]*?)<\/mj-attributes>/.exec(head) || [];
    for (const [, name, attributes] of inner.matchAll(/<(mj-[a-z-]+)((?:"[^"]*"|'[^']*'|[^'"<>])*?)\/?>/g)) {
      own[name] = Object.fromEntries([...attributes.matchAll(/([a-z-]+)\s*=\s*["']([^"'{]*)["']/g)].map(([, key, value]) => [key, value]));
    }
    return own;
  }

  // The plugin writes attributes as they are, and knows nothing of the defaults that a message sets for itself.
  function mend(editor, head) {
    const own = defaultsOf(head);
    for (const type of TYPES) {
      const { getAttrToHTML, getMjmlAttributes, defaults } = editor.Components.getType(type).model.prototype;
      const droppable = INSIDE.includes(type) && typeof defaults.droppable === "string" ? { droppable: `${defaults.droppable}, [data-gjs-type="mj-kept"]` } : {};
      editor.Components.addType(type, {
        model: {
          defaults: { ...droppable, "style-default": { ...(type === "mj-body" ? { width: "600px" } : {}), ...own["mj-all"], ...own[type] } },
          getAttrToHTML() { return escaped(getAttrToHTML.call(this)); },
          getMjmlAttributes() { return escaped(getMjmlAttributes.call(this)); },
        },
      });
    }
  }

  // What cannot be opened here: shown by its source, moved and removed as one.
  function addKept(editor, texts) {
    editor.Components.addType("mj-kept", {
      isComponent: (el) => (el.tagName || "").toLowerCase() === "mj-kept",
      model: {
        defaults: { tagName: "mj-kept", name: texts.kept, droppable: false, stylable: false, traits: [], draggable: INSIDE.map((type) => `[data-gjs-type="${type}"]`).join(", ") },
        toHTML() { return `<mj-kept data-source="${this.getAttributes()["data-source"]}"></mj-kept>`; },
      },
      view: {
        tagName: "div",
        onRender({ el, model }) {
          const source = decodeURIComponent(model.getAttributes()["data-source"] || "");
          el.textContent = source.length > 90 ? `${source.slice(0, 90)}…` : source;
          el.style.cssText = "font:12px/1.5 ui-monospace,monospace;color:#3730a3;background:#eef2ff;border-left:3px solid #6366f1;padding:2px 8px;margin:2px 0;text-align:left;pointer-events:all;overflow-wrap:anywhere";
        },
      },
    });
  }

  // A click on a block is as good as dragging it: it comes after what is chosen, or at the end.
  function add(block, editor) {
    const of = (component, types) => component && (types.includes(component.get("type")) ? component : of(component.parent(), types));
    const content = block.get("content");
    const isSection = String(content).includes("<mj-section") || /^<mj-(wrapper|hero)/.test(content);
    const chosen = editor.getSelected();
    const within = isSection ? ["mj-body"] : ["mj-column", "mj-hero"];
    const all = editor.getWrapper().find(within.map((type) => `[data-gjs-type="${type}"]`).join(", "));
    const place = of(chosen, within) || all.at(-1);
    if (!place) return;
    let before = chosen;
    while (before && before.parent() !== place) before = before.parent();
    const [made] = [place.append(content, before ? { at: before.index() + 1 } : {})].flat();
    editor.select(made);
    editor.Canvas.scrollTo(made, { behavior: "smooth", block: "center" });
  }

  // Tokens of Liquid survive in number and order, or nobody may edit: a lost one would be a lost condition.
  const isWhole = (before, after) => visualLiquid.tokens(before).join("\n") === visualLiquid.tokens(after).join("\n");

  function start(container, head, { locale, texts, snippets }) {
    const messages = { [locale]: { ...(locale === "zh" ? window.grapesjsZh : {}), "grapesjs-mjml": texts.visualNames } };
    const plugin = window["grapesjs-mjml"].default || window["grapesjs-mjml"];
    const editor = window.grapesjs.init({
      container, height: "100%", width: "auto", storageManager: false, telemetry: false, cssIcons: "",
      blockManager: { appendOnClick: add }, noticeOnUnload: false, assetManager: { upload: false }, i18n: { locale, detectLocale: false },
      plugins: [(made) => {
        plugin(made, { blocks: BLOCKS, imagePlaceholderSrc: PICTURE, fonts: { none: "" }, columnsPadding: "0", i18n: messages });
        mend(made, head);
        addKept(made, texts);
      }],
    });
    editor.I18n.addMessages(messages);
    for (const panel of editor.Panels.getPanels().models) {
      for (const button of [...panel.buttons.models]) {
        const icon = ICONS[button.id];
        if (icon) button.set({ label: `<span class="material-symbols-outlined">${icon}</span>`, attributes: { title: texts.visualButtons[button.id] } });
        else if (!KEPT_BUTTONS.includes(button.id)) panel.buttons.remove(button);
      }
    }
    for (const [i, { label, text }] of snippets.entries()) {
      const content = visualLiquid.convert(text.includes("<mj-") ? text : `<mj-text>${text}</mj-text>`);
      if (content) editor.Blocks.add(`ours-${i}`, { label, content, category: { id: "ours", label: texts.visualOurs, open: true }, select: true });
    }
    return editor;
  }

  // Opens the source in the container and tells each change as source; `end()` closes. Throws an Error with a
  // sentence for the reader when this message can only be edited as code.
  async function open(container, { source, onChange, ...page }) {
    const parts = visualLiquid.open(source);
    if (!parts) throw new Error(page.texts.visualNotMjml);
    await load(page.assets);
    const editor = start(container, parts.before, page);
    const now = () => visualLiquid.close(parts, editor.getHtml());
    await new Promise((resolve) => { editor.onReady(resolve); });
    editor.setComponents(`<mjml>${parts.body}</mjml>`);
    if (!isWhole(source, now())) {
      editor.destroy();
      throw new Error(page.texts.visualNotWhole);
    }
    editor.UndoManager.clear();
    editor.Panels.getButton("views", "open-blocks")?.set("active", true);
    const opened = now();
    let timer;
    editor.on("update", () => {
      clearTimeout(timer);
      timer = setTimeout(tell, WRITE_DELAY);
    });
    // What was only opened stays as it was written.
    const tell = () => onChange(now() === opened ? source : now());
    return {
      editor,
      end() { clearTimeout(timer); tell(); editor.destroy(); },
    };
  }

  window.visualEditor = { open };
})();
