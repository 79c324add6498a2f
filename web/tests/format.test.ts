// Sizes are decimal, as the program shows them (base/units.h).
import assert from "node:assert/strict";
import test from "node:test";

// The language is a browser's: here there is none.
const page = { documentElement: { dataset: {}, lang: "" } };
const matchMedia = () => ({ matches: false, addEventListener: () => undefined });
for (const [name, value] of Object.entries({ navigator: { language: "en" }, document: page, matchMedia })) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
const { bytes } = await import("../src/lib/format");

test("a megabyte is a million bytes", () => {
  assert.equal(bytes(0), "0 B");
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(1000), "1 kB");
  assert.equal(bytes(1_024), "1.02 kB");
  assert.equal(bytes(12_345_678), "12.3 MB");
  assert.equal(bytes(8 * 1024 * 1024), "8.39 MB");
  assert.equal(bytes(648e6), "648 MB");
  assert.equal(bytes(2.5e15), "2.5 PB");
  assert.equal(bytes(5e18), "5,000 PB");
});
