// The page in a real browser: starts the program on a free port, opens pages,
// takes pictures, asks axe. The tests in browser/ stand on it.
//
//   PROFOUND   the program (built by the check step); default: built here
//   CHROMIUM   the browser
//   SHOTS      a folder for pictures; default: one in the system's temporary folder

import { chromium } from "playwright-core";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const repository = join(here, "../..");
export const shots = process.env.SHOTS ?? mkdtempSync(join(tmpdir(), "profound-shots-"));
mkdirSync(shots, { recursive: true });
process.env.XDG_CONFIG_HOME = mkdtempSync(join(tmpdir(), "profound-config-")); // what was opened is remembered there

/** browserPath is the browser by CHROMIUM or one of the usual names. */
export function browserPath() {
  const names = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];
  const found = names.find((n) => n && existsSync(n));
  if (!found) throw new Error("no Chromium: install it (apt-get install chromium) or name it with CHROMIUM");
  return found;
}

/** program is the path of the program under test. */
export function program() {
  if (process.env.PROFOUND) return process.env.PROFOUND;
  const out = join(mkdtempSync(join(tmpdir(), "profound-")), "profound");
  execFileSync("go", ["build", "-o", out, "./cmd/profound"], { cwd: repository, stdio: "inherit" });
  return out;
}

/** serve starts the program on sources, which stay apart, and gives its address; stop ends it. */
export async function serve(exe, ...args) {
  const child = spawn(exe, ["web", "-http=localhost:0", "-no_browser", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const url = await new Promise((resolve, reject) => {
    const hear = (data) => {
      said += data;
      const m = /(https?:\/\/[^\s/]+)/.exec(said);
      if (m) resolve(m[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => reject(new Error(`the program ended (${code}): ${said}`)));
  });
  return { url, stop: () => child.kill(), said: () => said };
}

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function browser(...more) {
  return chromium.launch({ executablePath: browserPath(), args: [...flags, ...more] });
}

/** page opens an address in a theme; errors of the page and of the console are collected in page.problems. */
export async function page(on, url, { theme = "dark", width = 1440, height = 900, motion = "no-preference", ready = true } = {}) {
  const context = await on.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: motion, permissions: ["clipboard-read", "clipboard-write"] });
  const p = await context.newPage();
  p.problems = [];
  p.on("pageerror", (e) => p.problems.push(`${e.message}\n${e.stack}`));
  p.on("console", (m) => m.type() === "error" && p.problems.push(`${m.text()} ${m.location().url}`));
  await p.goto(url);
  if (ready) await p.waitForSelector(".view[data-ready]");
  await p.evaluate(() => document.fonts.ready);
  return p;
}

/** picture saves what is to be seen. */
export async function picture(p, name) {
  const path = join(shots, `${name}.png`);
  await p.screenshot({ path });
  return path;
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** violations are what axe finds against WCAG A and AA, a line each. */
export async function violations(p) {
  await p.evaluate(axe);
  const result = await p.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return result.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary?.split("\n").slice(1).join("; ")}`));
}

/** eventually waits until a condition holds. */
export async function eventually(what, condition, time = 5000) {
  const end = Date.now() + time;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`not within ${time} ms: ${what}`);
    await new Promise((r) => setTimeout(r, 25));
  }
}

/** firstSession is the id of what the program was started on. */
export async function firstSession(url) {
  const r = await fetch(`${url}/ui/`, { redirect: "manual" });
  return /v1\/([^/?]+)/.exec(r.headers.get("location") ?? "")?.[1] ?? "";
}

/** serious are problems of a page that are not the browser's note on an answer like 404, which the page shows itself. */
export function serious(p) {
  return p.problems.filter((x) => !/Failed to load resource/.test(x));
}

/** settled waits until a view shows its answer, or says why there is none, and asks and reads nothing more. */
export async function settled(p) {
  await p.waitForSelector(".view[data-ready], .main .empty", { timeout: 20_000 });
  await p.waitForFunction(
    () => {
      const reading = /^Reading/.test(document.querySelector(".main .empty h2")?.textContent ?? "");
      return !reading && document.querySelector("main").ariaBusy !== "true" && !document.querySelector(".progress.on, .main .skeleton");
    },
    undefined,
    { timeout: 60_000 },
  );
  await p.evaluate(() => document.fonts.ready);
}
