// From "memory grows" to the line and the holder: the seven steps of an
// investigation on a run of the demo, by mouse, and again by keyboard alone.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, settled, violations } from "../harness.mjs";
import { demoRun } from "../demo.mjs";

const leak = /parseContainerMetricsResponse/; // what the demo keeps

let server, chrome, at, about;

before(async () => {
  const exe = program();
  server = await serve(exe, ...(await demoRun(exe, 14)));
  const id = await firstSession(server.url);
  at = `${server.url}/v1/${id}/`;
  about = await (await fetch(`${server.url}/api/${id}/session`)).json();
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  server?.stop();
});

const view = (p) => new URL(p.url()).pathname.split("/")[3];
const ready = (p, id) => p.waitForSelector(`[data-view=${id}][data-ready]`, { timeout: 20_000 });
const selected = (p) => new URL(p.url()).searchParams.get("sel") ?? "";

const param = (p, key) => new URL(p.url()).searchParams.get(key);

/** The seven steps of an investigation, each to its last click. hand has the two ways to do a thing. */
async function investigate(p, hand) {
  const seen = new Set(await p.$$eval(".rail a", (all) => all.map((a) => new URL(a.href).pathname.split("/")[3])));
  const shoot = (step) => picture(p, `flow-${hand.name}-${step}`);
  // 1 Does memory grow? The page opens on the finding.
  assert.equal(view(p), "summary");
  assert.match(await p.innerText(".main"), leak);
  await shoot("1-summary");
  // 2 Since when, with what? A range becomes base and current.
  await hand.go("timeline");
  await ready(p, "timeline");
  await p.waitForSelector(".plot canvas");
  await hand.range();
  await eventually("marked", () => /^p\d+\.\.p\d+$/.test(param(p, "range") ?? ""));
  const [from, to] = param(p, "range").split("..");
  await shoot("2-timeline");
  await hand.ends();
  await eventually("base and current", () => param(p, "base") === from && [to, null].includes(param(p, "cur")));
  // 3 Which path? The change from base to current; the frame is selected.
  await hand.go("flame");
  await ready(p, "flame");
  await hand.search("parseContainerMetricsResponse");
  await eventually("the path is selected", () => leak.test(selected(p)));
  await p.waitForSelector(".side .facts >> text=change");
  assert.match(await p.innerText(".side"), leak);
  await shoot("3-flame");
  // 4 Which line?
  await hand.source();
  await ready(p, "source");
  await eventually("the function's lines are in sight", async () => leak.test(await p.innerText(".main")));
  await shoot("4-source");
  // 5 Who holds it? 6 What if it went?
  if (seen.has("retention") && about.heap) {
    await hand.holders();
    await ready(p, "retention");
    await settled(p);
    await p.waitForSelector(".steps .cut");
    assert.match(await p.innerText(".main"), /MetricsFetcher|containerSample/);
    await shoot("5-retention");
    const button = (await p.innerText(".pair .btn.primary")).replace(/\s+w$/, "").trim();
    assert.match(button, /^Without this reference: frees [\d.]+ [kM]B$/);
    await hand.without();
    await p.waitForSelector(".whatif .figure");
    const frees = button.replace(/.*frees /, "");
    assert.ok((await p.innerText(".whatif")).startsWith(frees), "the what-if frees what the button says");
    await hand.dominators();
    await p.waitForSelector("[data-view=retention] [role=grid] .tr");
    assert.ok((await p.innerText(".whatif")).startsWith(frees), "and beside the dominators too");
    await shoot("6-dominators");
    await hand.report();
    await p.waitForSelector(".toast >> text=Report copied");
    const report = await p.evaluate(() => navigator.clipboard.readText());
    assert.match(report, /^Without .* go\s+free\.$/m);
    assert.match(report, /containerSample|string/);
    assert.ok(report.includes("/v1/") && report.includes("without="), "the report says where it is from");
  }
  // 7 Is it fixed? Base against current.
  await hand.go("compare");
  await ready(p, "compare");
  assert.deepEqual([param(p, "base"), leak.test(await p.innerText(".main"))], [from, true]);
  await shoot("7-compare");
  assert.match(selected(p), leak, "one selection through all views");
  assert.deepEqual(serious(p), []);
}

test("seven steps by mouse", async () => {
  const p = await page(chrome, at, { theme: "light" });
  await ready(p, "summary");
  await investigate(p, {
    name: "mouse",
    go: (id) => p.click(`.rail a[href*="/${id}"]`),
    range: async () => {
      const plot = await p.locator(".u-over").first().boundingBox();
      await p.mouse.move(plot.x + plot.width * 0.2, plot.y + 40);
      await p.mouse.down();
      await p.mouse.move(plot.x + plot.width * 0.95, plot.y + 50, { steps: 5 });
      await p.mouse.up();
    },
    ends: async () => {
      await p.click(".rangebar button >> text=Base A");
      await p.click(".rangebar button >> text=Current B");
    },
    search: async (text) => {
      await p.fill("#search", text);
      await p.waitForSelector(".search .hits >> text=%");
      await p.press("#search", "Enter");
    },
    source: () => p.click(".side button >> text=Source"),
    holders: async () => {
      const button = p.locator(".side button", { hasText: "Who holds it" });
      await ((await button.count()) ? button.first().click() : p.click('.rail a[href*="/retention"]'));
    },
    without: () => p.click(".pair .btn.primary"),
    dominators: () => p.click("[role=radio] >> text=Dominators"),
    report: () => p.click("button >> text=Copy report"),
  });
  await p.context().close();
});

test("seven steps by keyboard alone", async () => {
  const p = await page(chrome, at, { theme: "dark" });
  await ready(p, "summary");
  const digits = { summary: "1", flame: "2", graph: "3", table: "4", source: "5", timeline: "6", compare: "7", leaks: "8", retention: "9", goroutines: "0" };
  const key = (k) => p.keyboard.press(k);
  await investigate(p, {
    name: "keys",
    go: (id) => key(digits[id]),
    range: async () => {
      await key("Home");
      await key("ArrowRight");
      for (let i = 0; i < 5; i++) await key("Shift+ArrowRight");
      await eventually("six marked", () => /^p2\.\.p7$/.test(param(p, "range") ?? ""));
    },
    ends: async () => {
      await key("a");
      await key("b");
    },
    search: async (text) => {
      await key("/");
      await p.keyboard.type(text);
      await p.waitForSelector(".search .hits >> text=%");
      await key("Enter");
      await eventually("selected", () => selected(p) !== "");
      await key("Escape"); // empties the search
      await key("Escape"); // leaves it
      await p.evaluate(() => document.activeElement?.id === "search" && document.activeElement.blur());
      if (!selected(p)) await key("Control+z");
    },
    source: () => key("o"),
    holders: () => key("r"),
    without: () => key("w"),
    dominators: () => key("."),
    report: () => key("C"),
  });
  await p.context().close();
});

test("the same by the palette", async () => {
  const p = await page(chrome, at);
  for (const v of about.views.filter((v) => v === "flame" || v === "table" || v === "source")) {
    await p.keyboard.press("Control+k");
    await p.waitForSelector(".palette");
    await p.keyboard.type(`Go to ${v}`);
    await p.keyboard.press("Enter");
    await eventually(v, () => view(p) === v);
  }
  await p.context().close();
});

test("who holds it stands beside a finding at once, where a file has the heap", async (t) => {
  if (!about.heap) return t.skip("no snapshot can be taken here");
  const p = await page(chrome, `${at}leaks`);
  await p.waitForSelector(".evidence dt >> text=held by", { timeout: 20_000 });
  assert.match(await p.innerText(".leak"), /held by[^]*MetricsFetcher/);
  assert.equal(await p.$("text=Ask who holds it"), null);
  assert.equal(await p.$("text=Filter"), null, "nothing can be filtered here");
  await picture(p, "flow-leaks");
  assert.deepEqual(await violations(p), []);
  await p.context().close();
});

test("the summary lists functions, types and goroutines", async (t) => {
  if (!about.heap) return t.skip("no snapshot can be taken here");
  for (const [theme, width, height] of [["light", 1024, 700], ["dark", 1440, 900]]) {
    const p = await page(chrome, at, { theme, width, height });
    await ready(p, "summary");
    await p.focus(".paths [role=radio][aria-checked=true]");
    await p.keyboard.press("ArrowRight");
    await eventually("types", () => param(p, "list") === "types");
    await p.waitForSelector(".paths .tr >> text=containerSample", { timeout: 20_000 });
    await p.waitForSelector(".paths .tr .delta.up"); // there is an earlier heap in this session
    await picture(p, `summary-types-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.keyboard.press("ArrowRight");
    await eventually("goroutines", () => param(p, "list") === "goroutines");
    await p.waitForSelector(".paths .tr >> text=serveHTTP");
    await picture(p, `summary-goroutines-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.dblclick(".paths .tr");
    await ready(p, "goroutines");
    await p.goBack();
    await p.goBack();
    await p.waitForSelector(".paths .tr >> text=containerSample");
    await p.dblclick(".paths .tr");
    await ready(p, "retention");
    await eventually("a type", () => selected(p).startsWith("t:"));
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("no table scrolls sideways in a window 1024 wide", async () => {
  for (const v of about.views) {
    const p = await page(chrome, `${at}${v}`, { width: 1024, height: 700, ready: false });
    await settled(p);
    const wide = await p.$$eval(".table", (all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => `${e.ariaLabel}: ${e.scrollWidth} of ${e.clientWidth}`));
    assert.deepEqual(wide, [], v);
    await p.context().close();
  }
});
