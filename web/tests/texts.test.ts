// Every text stands in both languages, with the same values in it, and every text that the pages ask
// for is there.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Area } from "../src/i18n/area";
import { areas } from "../src/i18n/areas";

const sources = path.resolve("src");

function files(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory() ? files(name) : /\.tsx?$/.test(name) ? [name] : [];
  });
}

const all = Object.entries(areas) as [string, Area<string>][];

const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).sort();

test("both languages have every text, with the same values", () => {
  const kept = files(sources).filter((name) => name.endsWith("messages.ts")).length + 1;
  assert.equal(all.length, kept, "i18n/areas.ts names every messages.ts");
  const seen = new Set<string>();
  for (const [name, area] of all) {
    assert.deepEqual(Object.keys(area.en).sort(), Object.keys(area.ja).sort(), name);
    for (const key of Object.keys(area.en)) {
      assert.ok(!seen.has(key), `${key} stands in two areas`);
      seen.add(key);
      const [en, ja] = [area.en[key] ?? "", area.ja[key] ?? ""];
      assert.ok(en.trim() && ja.trim(), `${key} is empty`);
      assert.deepEqual(values(ja), values(en), `${key}: other values in Japanese`);
    }
  }
});

test("no text is orphaned", () => {
  const code = files(sources)
    .filter((name) => !name.endsWith("messages.ts") && !name.endsWith("common.ts"))
    .map((name) => fs.readFileSync(name, "utf8"))
    .join("\n");
  const prefixes = [...code.matchAll(/name\("([\w.]+)"/g), ...code.matchAll(/t\(`([\w.]+)\.\$/g)].map((one) => `${one[1]}.`);
  const keys = all.flatMap(([, area]) => Object.keys(area.en));
  const used = (key: string) => code.includes(`"${key}"`) || prefixes.some((prefix) => key.startsWith(prefix));
  assert.deepEqual(keys.filter((key) => !used(key)), []);
});
