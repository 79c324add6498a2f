// How the pages are built: everything in files of its own, for a policy that allows nothing inline.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    cssCodeSplit: false,
    // The pages of a site, and the one of a kiosk, which is served by another process.
    rollupOptions: { input: { main: "index.html", kiosk: "kiosk.html" } },
  },
});
