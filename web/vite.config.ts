// How the pages are built: everything in files of its own, for a policy that allows nothing inline.
import { defineConfig, type Plugin } from "vite";

// What igv.js does when it is loaded and the content policy of its page forbids: two <style> elements
// (of its colour picker and of circular views, which are not used), and a policy of its bundled
// HTML cleaner, which then goes through the page's own. Exact texts: another version fails here.
const FORBIDDEN = [
  ["document.documentElement.firstElementChild.appendChild(style);", ""],
  ['if (!stylesheetExists("circular-view.css")) {\n        embedCSS();', 'if (!stylesheetExists("circular-view.css")) {'],
  ["const _createTrustedTypesPolicy = function _createTrustedTypesPolicy(trustedTypes, purifyHostElement) {", "const _createTrustedTypesPolicy = function () { return null;"],
] as const;

function strict_igv(): Plugin {
  return {
    name: "strict-igv",
    transform(code, id) {
      if (!id.includes("/igv/dist/")) return null;
      let changed = code;
      for (const [from, to] of FORBIDDEN) {
        if (changed.split(from).length !== 2) throw new Error(`igv.js does not have once: ${from}`);
        changed = changed.replace(from, () => to);
      }
      return { code: changed, map: null };
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [strict_igv()],
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    cssCodeSplit: false,
    // The pages of a site, the one that shows reads, whose policy is its own (web/pages.cc), and the
    // one of a kiosk, which is served by another process.
    rollupOptions: { input: { main: "index.html", viewer: "viewer.html", kiosk: "kiosk.html" } },
    chunkSizeWarningLimit: 2_000,
  },
});
