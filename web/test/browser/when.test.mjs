// Summary, leaks, timeline and compare, by mouse and by keyboard.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { folder, heap, hostile, hostileProfile } from "../profiles.mjs";

let exe, chrome;
const servers = [];

before(async () => {
  exe = program();
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  for (const s of servers) s.stop();
});

async function start(files) {
  const s = await serve(exe, ...folder(files));
  servers.push(s);
  return `${s.url}/v1/${await firstSession(s.url)}`;
}

const series = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${i}.pb.gz`, heap(i)]));
const key = (p, name) => new URL(p.url()).searchParams.get(name);

test("summary opens on the finding; keys lead on", async () => {
  const at = await start(series(8));
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/`, { theme });
    await p.waitForSelector("[data-view=summary] .finding");
    assert.match(await p.textContent(".finding"), /newOrder|heap/);
    assert.match(await p.textContent(".paths .tr[aria-rowindex='2']"), /main\.newOrder/);
    await picture(p, `summary-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.focus(".paths [role=grid]");
    await p.keyboard.press("Home");
    await eventually("selected", () => key(p, "sel") === "f:main.newOrder");
    await p.keyboard.press("Enter");
    await p.waitForSelector("[data-view=flame]");
    assert.equal(key(p, "base"), "p1");
    assert.equal(key(p, "sel"), "f:main.newOrder");
    await p.keyboard.press("1");
    await p.waitForSelector("[data-view=summary][data-ready]");
    await p.keyboard.press("C");
    await p.waitForSelector(".toast >> text=Report copied");
    assert.match(await p.evaluate(() => navigator.clipboard.readText()), /\/v1\//);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("leaks: findings, path, resources", async () => {
  const at = await start(series(8));
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/leaks`, { theme });
    assert.match(await p.textContent(".view"), /live heap/);
    await picture(p, `leaks-${theme}`);
    assert.deepEqual(await violations(p), []);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("timeline: range by keyboard, by mouse, and as a table", async () => {
  const at = await start(series(8));
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/timeline`, { theme });
    await p.waitForSelector(".plot canvas");
    await p.keyboard.press("Home");
    await p.keyboard.press("ArrowRight");
    await eventually("second", () => key(p, "range") === "p2");
    for (let i = 0; i < 3; i++) await p.keyboard.press("Shift+ArrowRight");
    await eventually("four", () => key(p, "range") === "p2..p5");
    await p.keyboard.press("a");
    await eventually("base", () => key(p, "base") === "p2");
    await p.keyboard.press("b");
    await eventually("current", () => key(p, "cur") === "p5");
    const plot = await p.locator(".u-over").first().boundingBox();
    await p.mouse.move(plot.x + plot.width * 0.3, plot.y + 40);
    await p.mouse.down();
    await p.mouse.move(plot.x + plot.width * 0.8, plot.y + 50, { steps: 5 });
    await p.mouse.up();
    await eventually("dragged", () => key(p, "range") === "p4..p6");
    await p.mouse.move(plot.x + 1, plot.y + 30);
    await eventually("values under the cursor", async () => /^27\.5 MB/.test(await p.textContent(".chart .legend b")));
    await picture(p, `timeline-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.keyboard.press("Enter");
    await p.waitForSelector("[data-view=compare][data-ready]");
    assert.deepEqual([key(p, "base"), key(p, "cur")], ["p4", "p6"]);
    await p.keyboard.press("6");
    await p.click("[role=radio] >> text=Table");
    await p.waitForSelector("[role=grid][aria-label='Values over time'] .tr");
    assert.equal((await p.$$(".tr")).length, 8);
    await picture(p, `timeline-table-${theme}`);
    assert.deepEqual(await violations(p), []);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("compare: sentence, rows, swap", async () => {
  const at = await start(series(4));
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/compare`, { theme });
    assert.match(await p.textContent(".finding"), /^Heap in use .*: .* → .*; \d functions? explains? \d+ %/);
    await picture(p, `compare-${theme}`);
    assert.deepEqual(await violations(p), []);
    const first = () => p.textContent(".tr[aria-rowindex='2']");
    assert.match(await first(), /main\.newOrder.*▲/);
    await p.keyboard.press("x");
    await eventually("swapped", async () => key(p, "cur") === "p1" && /▼/.test(await first()));
    await p.click("[role=radio] >> text=Share");
    await eventually("shares", async () => /pt/.test(await first()));
    await p.click("[role=radio] >> text=all");
    await p.fill(".field.filter", "flate");
    await eventually("one row", async () => (await p.$$(".tr")).length === 1);
    const url = p.url();
    await p.reload();
    await p.waitForSelector(".tr");
    assert.equal(p.url(), url);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("hostile names and a narrow window", async () => {
  const at = await start({ "a.pb.gz": hostileProfile(), ...series(3) });
  for (const view of ["summary", "timeline", "compare", "leaks"]) {
    const p = await page(chrome, `${at}/${view}?sel=${encodeURIComponent("f:main.newOrder")}`, { width: 1024, height: 700 });
    assert.doesNotMatch(await p.title(), /^broken/);
    assert.equal(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the window");
    await picture(p, `narrow-${view}`);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
  const p = await page(chrome, `${await start({ "a.pb.gz": hostileProfile() })}/summary`);
  assert.equal(await p.evaluate(() => document.querySelectorAll("main script, main img").length), 0);
  await picture(p, "hostile-summary");
  assert.ok(hostile.length > 0);
  await p.context().close();
});
