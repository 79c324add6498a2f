// A browser for tests that are written elsewhere: one JSON request per line in, one answer out.
//
//   {"do":"open","url":...,"language":"en","theme":"light","certificate":{cert,key,ca}}  -> {"ok":...}
//
// What each request takes stands beside its function. A problem answers {"error": text}. Everything
// that the page wrote to its console as an error, every violation of its policy and every request to
// another origin is kept and told by "troubles". Needs Debian's chromium (WARIFU_CHROMIUM).
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { chromium } = await import(path.join(root, "node_modules/playwright-core/index.mjs"));
const axe = fs.readFileSync(path.join(root, "node_modules/axe-core/axe.min.js"), "utf8");

const PATIENCE = 15_000;
let browser = null;
let context = null;
let page = null;
let origin = "";
let troubles = [];

function listen() {
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(message.text());
  });
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:")) troubles.push(`request to ${url}`);
  });
}

/** A part of the page: by role and name, by label, or by selector; `within` narrows it down. */
function part(request) {
  const scope = request.within ? page.locator(request.within) : page;
  if (request.role) {
    return scope.getByRole(request.role, { name: request.name, exact: request.exact ?? false }).first();
  }
  if (request.label) return scope.getByLabel(request.label, { exact: request.exact ?? true }).first();
  return scope.locator(request.selector).first();
}

const acts = {
  /** url, language, theme, width, height; certificate: {cert, key} for TLS. A new browser profile. */
  async open(request) {
    browser ??= await chromium.launch({
      executablePath: process.env.WARIFU_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    });
    await context?.close();
    origin = new URL(request.url).origin;
    const options = {
      viewport: { width: request.width ?? 1280, height: request.height ?? 900 },
      locale: request.language === "ja" ? "ja-JP" : "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      acceptDownloads: true,
    };
    if (request.certificate) {
      options.ignoreHTTPSErrors = true; // the authority is a test's own
      options.clientCertificates = [
        { origin, certPath: request.certificate.cert, keyPath: request.certificate.key },
      ];
    }
    context = await browser.newContext(options);
    await context.addInitScript(
      ([language, theme]) => {
        localStorage.setItem("warifu.language", language);
        localStorage.setItem("warifu.theme", theme);
      },
      [request.language ?? "en", request.theme ?? "light"],
    );
    page = await context.newPage();
    troubles = [];
    listen();
    const answer = await page.goto(request.url, { waitUntil: "load" });
    return { status: answer.status(), headers: answer.headers() };
  },
  /** path: goes there by the address bar, with a page load. */
  async visit(request) {
    const answer = await page.goto(origin + request.path, { waitUntil: "load" });
    return answer.status();
  },
  async click(request) {
    await part(request).click();
  },
  async fill(request) {
    await part(request).fill(request.value);
  },
  async choose(request) {
    await part(request).selectOption(request.value);
  },
  /** key: "Tab", "Enter", ... */
  async press(request) {
    await page.keyboard.press(request.key);
  },
  /** Waits until the part is seen (or, with gone, is not). */
  async see(request) {
    await part(request).waitFor({ state: request.gone ? "hidden" : "visible", timeout: request.limit ?? PATIENCE });
  },
  /** Waits until the text stands somewhere in the page, or in the part. */
  async read(request) {
    const scope = request.selector ? page.locator(request.selector) : page;
    await scope.getByText(request.text).first().waitFor({ timeout: request.limit ?? PATIENCE });
  },
  async text(request) {
    return await part(request).innerText();
  },
  /** A script in the page; its value. */
  async evaluate(request) {
    return await page.evaluate(request.script);
  },
  /** Clicks and keeps what is downloaded: its text, length and SHA-256, and the proposed name. */
  async download(request) {
    const [download] = await Promise.all([
      page.waitForEvent("download", { timeout: request.limit ?? PATIENCE }),
      part(request).click(),
    ]);
    const bytes = fs.readFileSync(await download.path());
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { name: download.suggestedFilename(), text: bytes.toString("utf8"), bytes: bytes.length, sha256 };
  },
  /** on: as if the network were gone. */
  async offline(request) {
    await context.setOffline(request.on);
  },
  /** Chooses a file of this machine in a file field. */
  async attach(request) {
    await part(request).setInputFiles(request.path);
  },
  /** width, height: of the window, as if it was pulled. */
  async size(request) {
    await page.setViewportSize({ width: request.width, height: request.height ?? 900 });
  },
  /** language, theme: as if chosen in the page. */
  async appear(request) {
    await page.locator(".choices select").first().selectOption(request.language);
    await page.locator(".choices select").last().selectOption(request.theme);
  },
  /** Violations of WCAG 2.2 A and AA and of axe's best practices, as texts; `without`: a part that
   * is not this project's. */
  async axe(request) {
    const has = await page.evaluate("typeof axe");
    if (has === "undefined") await page.evaluate(axe + ";0");
    const result = await page.evaluate(
      `axe.run(${request.without ? JSON.stringify({ exclude: [request.without] }) : "document"},` +
        '{resultTypes:["violations"],runOnly:["wcag2a","wcag2aa","wcag21aa","wcag22aa","best-practice"]})' +
        ".then(r=>r.violations.map(v=>v.id+': '+v.help+' '+v.nodes.slice(0,3).map(n=>n.html+' '+n.failureSummary).join(' | ')))",
    );
    return result;
  },
  /** path: of the picture; the whole page unless `seen`. */
  async picture(request) {
    fs.mkdirSync(path.dirname(request.path), { recursive: true });
    await page.screenshot({ path: request.path, fullPage: !request.seen });
  },
  async troubles() {
    const told = troubles;
    troubles = [];
    return told;
  },
  async cookies() {
    return await context.cookies();
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = { ok: (await acts[request.do](request)) ?? null };
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser?.close();
