// Builds the pages and writes the source file that embeds them: node build.mjs --out DIR
//
// Packages are installed only when they are not what package-lock.json names. Each file is kept
// plain, and with gzip and brotli where that is shorter by a tenth. Two builds at once (two build
// folders) wait for each other.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import zlib from "node:zlib";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[process.argv.indexOf("--out") + 1]);

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".png": "image/png",
};

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Runs `work` while no other build does. */
function alone(work) {
  const lock = path.join(root, "node_modules.lock");
  for (let tries = 0; ; ++tries) {
    try {
      fs.mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const age = Date.now() - (fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (age > 300_000) fs.rmSync(lock, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    work();
  } finally {
    fs.rmSync(lock, { recursive: true, force: true });
  }
}

function install() {
  const wanted = sha256(fs.readFileSync(path.join(root, "package-lock.json")));
  const stamp = path.join(root, "node_modules", ".warifu-lock");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted) return;
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=5"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  fs.writeFileSync(stamp, wanted);
}

function files(folder, under = "") {
  return fs.readdirSync(path.join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(under, entry.name);
    return entry.isDirectory() ? files(folder, name) : [name];
  });
}

function packed(bytes, pack) {
  const result = pack(bytes);
  return result.length < bytes.length * 0.9 ? result : null;
}

function brotli(bytes) {
  return zlib.brotliCompressSync(bytes, {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 },
  });
}

/** Bytes as a file named by their content; what the assembler includes. */
function keep(bytes) {
  const file = path.join(out, "embedded", sha256(bytes).slice(0, 32));
  fs.writeFileSync(file, bytes);
  return file;
}

function embed(dist) {
  fs.rmSync(path.join(out, "embedded"), { recursive: true, force: true });
  fs.mkdirSync(path.join(out, "embedded"), { recursive: true });
  const names = files(dist).sort((a, b) => (a < b ? -1 : 1));
  let blobs = "";
  let rows = "";
  let count = 0;
  const blob = (bytes) => {
    if (!bytes) return "ByteView()";
    const symbol = `warifu_asset_${count++}`;
    blobs +=
      `asm(".section .rodata,\\"a\\",@progbits\\n.balign 16\\n.global ${symbol}\\n${symbol}:\\n"\n` +
      `    ".incbin \\"${keep(bytes)}\\"\\n.byte 0\\n.previous\\n");\n` +
      `extern "C" const Byte ${symbol}[];\n`;
    return `ByteView(${symbol}, ${bytes.length})`;
  };
  for (const name of names) {
    const bytes = fs.readFileSync(path.join(dist, name));
    const type = TYPES[path.extname(name)];
    if (!type) throw new Error(`${name}: no content type is known for it`);
    const views = [bytes, packed(bytes, zlib.gzipSync), packed(bytes, brotli)].map(blob);
    rows += `    {"${name}", "${type}", "\\"${sha256(bytes).slice(0, 32)}\\"", ${views.join(", ")}},\n`;
  }
  const text =
    "// Made by web/tools/build.mjs: the pages, as they are served.\n" +
    '#include "web/assets.h"\n\nusing warifu::Byte;\nusing warifu::ByteView;\n\n' +
    blobs +
    "\nnamespace warifu::web {\n\nstd::span<const Asset> assets() {\n" +
    `  static const Asset kAssets[] = {\n${rows}  };\n  return kAssets;\n}\n\n}  // namespace warifu::web\n`;
  fs.writeFileSync(path.join(out, "assets.cc"), text);
  const size = names.reduce((sum, name) => sum + fs.statSync(path.join(dist, name)).size, 0);
  console.log(`pages: ${names.length} files, ${Math.round(size / 1024)} KiB`);
}

fs.mkdirSync(out, { recursive: true });
alone(install);
const { build } = await import(
  pathToFileURL(path.join(root, "node_modules/vite/dist/node/index.js")).href
);
const dist = path.join(out, "dist");
await build({ root, logLevel: "warn", build: { outDir: dist, emptyOutDir: true } });
embed(dist);
