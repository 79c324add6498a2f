// Unit tests of the pages: bundles tests/*.test.ts with esbuild and runs them with Node's own runner.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { buildSync } = await import(pathToFileURL(path.join(root, "node_modules/esbuild/lib/main.js")).href);
const out = fs.mkdtempSync(path.join(os.tmpdir(), "warifu-web-test-"));
try {
  const tests = fs.readdirSync(path.join(root, "tests")).filter((name) => name.endsWith(".test.ts"));
  buildSync({
    entryPoints: tests.map((name) => path.join(root, "tests", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    logLevel: "warning",
  });
  const types = spawnSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc")], { cwd: root, stdio: "inherit" });
  const files = tests.map((name) => path.join(out, name.replace(/\.ts$/, ".mjs")));
  const run = spawnSync(process.execPath, ["--test", ...files], { cwd: root, stdio: "inherit" });
  process.exitCode = types.status || run.status || 0;
} finally {
  fs.rmSync(out, { recursive: true, force: true });
}
