// What the viewer of reads may make HTML of. igv.js builds its menus and icons out of texts, which no
// other page may do; this document's policy (Trusted Types) lets it through this one function.
//
// Allowed are elements and attributes of a short list. Anything else that looks like markup – a
// script, an event handler, an address, a style – is left out or stands there as text, so what a
// file says of its reads can never become code. A small scanner, no parser: when in doubt it is text.

const ELEMENTS = new Set(
  ("a b br circle defs div ellipse em fieldset g hr i input label legend li line ol option p path polygon polyline " +
    "rect select small span strong sub sup svg table tbody td text th thead title tr tspan u ul")
    .split(" "),
);
const ATTRIBUTES = new Set(
  ("align aria-hidden aria-label class colspan cx cy d dominant-baseline dx dy fill fill-opacity fill-rule font-family font-size font-weight for height id max min name " +
    "points preserveaspectratio r role rowspan rx ry stroke stroke-linecap stroke-linejoin stroke-width " +
    "tabindex text-anchor title transform type value version viewbox width x x1 x2 xmlns y y1 y2")
    .split(" "),
);

const TAG = /^<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=]+))?)*)\s*(\/?)>/;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>=]+))?/g;

function kept_attributes(text: string): string {
  let kept = "";
  for (const [, name = "", value] of text.matchAll(ATTRIBUTE)) {
    if (!ATTRIBUTES.has(name.toLowerCase())) continue;
    const bare = value?.replace(/^(["'])(.*)\1$/s, "$2") ?? "";
    kept += ` ${name}="${bare.replace(/"/g, "&quot;").replace(/</g, "&lt;")}"`;
  }
  return kept;
}

/** The text with only what is allowed as markup. */
export function only_allowed(html: string): string {
  let out = "";
  let rest = html;
  while (rest) {
    const at = rest.indexOf("<");
    if (at < 0) return out + rest;
    out += rest.slice(0, at);
    rest = rest.slice(at);
    const tag = TAG.exec(rest);
    const name = tag?.[2]?.toLowerCase() ?? "";
    if (tag && ELEMENTS.has(name)) {
      out += tag[1] ? `</${tag[2]}>` : `<${tag[2]}${kept_attributes(tag[3] ?? "")}${tag[4] ? "/" : ""}>`;
      rest = rest.slice(tag[0].length);
      continue;
    }
    if (rest.startsWith("<!--")) {
      const end = rest.indexOf("-->");
      rest = end < 0 ? "" : rest.slice(end + 3);
      continue;
    }
    out += "&lt;";
    rest = rest.slice(1);
  }
  return out;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createHTML: (text: string) => string }): unknown;
}

/** Once, before igv.js is loaded. Browsers without Trusted Types have nothing to be told. */
export function install_policy(): void {
  const factory = (window as { trustedTypes?: PolicyFactory }).trustedTypes;
  factory?.createPolicy("default", { createHTML: only_allowed });
}
