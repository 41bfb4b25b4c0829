// MJML with Liquid, put so that a visual editor of HTML can carry it and give it back.
//
// What the editor does not know (Liquid between elements, tables, comments, anything odd) becomes <mj-kept>, a block
// that can be moved but not opened. Liquid inside of texts and attributes stays where it is; the characters in it that
// HTML would escape are disguised as their wide twins.

(() => {
  "use strict";

  const LIQUID = /\{%-?\s*(raw|comment|doc)\b[^%]*%\}[\s\S]*?\{%-?\s*end\1\s*-?%\}|\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}/g;
  const LAYOUT = new Set(["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"]);
  const TEXTS = new Set(["mj-text", "mj-button"]);
  const EMPTY = new Set(["mj-image", "mj-divider", "mj-spacer"]);
  const TWINS = { '"': "＂", "'": "＇", "<": "＜", ">": "＞", "&": "＆" };
  const BACK = Object.fromEntries(Object.entries(TWINS).map(([plain, twin]) => [twin, plain]));
  const TWIN = /[＂＇＜＞＆]/;
  const TAG = /<(\/?)(mj-[a-z-]+)((?:"[^"]*"|'[^']*'|[^'"<>])*?)(\/?)>/y;
  const ATTRIBUTE = /^\s+[a-z][\w:-]*\s*=\s*("[^"]*"|'[^']*')/;

  const disguise = (text) => text.replace(LIQUID, (token) => token.replace(/["'<>&]/g, (c) => TWINS[c]));
  const reveal = (text) => text.replace(LIQUID, (token) => token.replace(/[＂＇＜＞＆]/g, (c) => BACK[c]));
  const kept = (source) => `<mj-kept data-source="${encodeURIComponent(source)}"></mj-kept>`;
  const tokens = (text) => text.match(LIQUID) || [];

  // Attributes of a disguised tag are pairs and nothing else: no Liquid of its own among them.
  function plain(attributes) {
    let rest = attributes;
    for (let found = ATTRIBUTE.exec(rest); found; found = ATTRIBUTE.exec(rest)) rest = rest.slice(found[0].length);
    return rest.trim() === "";
  }

  // Tags within a text hold no Liquid outside of quotes.
  const whole = (html) => !/<[^>]*\{[%{]/.test(html.replace(/"[^"]*"|'[^']*'/g, ""));

  // The end of the element that begins at `from`, tags of its name within it counted.
  function endOf(text, from, name) {
    const tags = new RegExp(`<(/?)${name}\\b(?:"[^"]*"|'[^']*'|[^'"<>])*?(/?)>`, "g");
    tags.lastIndex = from;
    let depth = 0;
    for (let tag = tags.exec(text); tag; tag = tags.exec(text)) {
      if (!tag[2]) depth += tag[1] ? -1 : 1;
      if (depth === 0) return tags.lastIndex;
    }
    return -1;
  }

  // Elements as the editor may have them; null when the tags do not fit together.
  function convert(source) {
    const text = disguise(source);
    const open = [];
    let out = "", at = 0;
    const keep = (end) => { out += kept(reveal(text.slice(at, end)).trim()); at = end; };
    while (at < text.length) {
      const space = /^\s+/.exec(text.slice(at, at + 2000));
      if (space) { at += space[0].length; continue; }
      if (text.startsWith("<!--", at)) {
        const end = text.indexOf("-->", at);
        if (end < 0) return null;
        keep(end + 3);
        continue;
      }
      TAG.lastIndex = at;
      const tag = TAG.exec(text);
      if (!tag) {
        LIQUID.lastIndex = at;
        const liquid = LIQUID.exec(text);
        if (liquid?.index === at) { keep(at + liquid[0].length); continue; }
        const next = text.slice(at + 1).search(/[<{]/);
        if (text[at] === "<") return null;
        keep(next < 0 ? text.length : at + 1 + next);
        continue;
      }
      const [all, closing, name, attributes, empty] = tag;
      if (closing) {
        if (open.pop() !== name) return null;
        out += all;
        at += all.length;
        continue;
      }
      const end = empty ? at + all.length : endOf(text, at, name);
      const isPlain = plain(attributes) && end > 0;
      if (isPlain && LAYOUT.has(name)) {
        out += `<${name}${attributes}>`;
        if (empty) out += `</${name}>`; else open.push(name);
        at += all.length;
      } else if (isPlain && EMPTY.has(name)) {
        out += `<${name}${attributes}></${name}>`;
        at = end;
      } else if (isPlain && TEXTS.has(name)) {
        const inner = empty ? "" : text.slice(at + all.length, end - `</${name}>`.length);
        if (whole(inner)) { out += `<${name}${attributes}>${inner}</${name}>`; at = end; } else keep(end);
      } else if (end > 0) {
        keep(end);
      } else {
        return null;
      }
    }
    return open.length ? null : out;
  }

  // {before, body, after} of a message, body ready for the editor; null when the editor cannot have it.
  function open(source) {
    const start = source.search(/<mj-body[\s>]/), end = source.lastIndexOf("</mj-body>");
    if (start < 0 || end < 0 || tokens(source).some((token) => TWIN.test(token)) || source.includes("mj-kept")) return null;
    const stop = end + "</mj-body>".length;
    const body = convert(source.slice(start, stop));
    return body && { before: source.slice(0, start), body, after: source.slice(stop) };
  }

  const PIECE = /<mj-kept data-source="([^"]*)"[^>]*><\/mj-kept>|<(\/?)(mj-[a-z-]+)((?:"[^"]*"|[^"<>])*)>/g;
  const soften = (text) => text.replace(/&#0?39;/g, "'").replace(/&quot;/g, '"');
  const words = (html) => html.split(/(<[^>]*>)/).map((part, i) => (i % 2 ? part : soften(part))).join("");

  // What the editor gives back, as a person would have written it: a line per element.
  function close({ before, after }, html) {
    const lines = [];
    let depth = 0, leaf = null;
    const line = (text) => lines.push("  ".repeat(Math.max(depth, 0)) + text);
    for (const piece of html.matchAll(PIECE)) {
      const [all, source, closing, name] = piece;
      if (leaf) {
        if (name !== leaf.name || !closing) continue;
        const inner = words(html.slice(leaf.from, piece.index));
        line(inner || !EMPTY.has(name) ? `${leaf.tag}${inner}</${name}>` : leaf.tag.replace(/>$/, " />"));
        leaf = null;
      } else if (source !== undefined) {
        line(decodeURIComponent(source));
      } else if (LAYOUT.has(name)) {
        if (closing) depth -= 1;
        line(all);
        if (!closing) depth += 1;
      } else if (!closing) {
        leaf = { name, tag: all, from: piece.index + all.length };
      }
    }
    return before + reveal(lines.join("\n    ")) + after;
  }

  window.visualLiquid = { open, close, convert, tokens };
})();
