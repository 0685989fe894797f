// From "memory grows" to the line and the holder: the seven steps of an
// investigation on a run of the demo, by mouse, and again by keyboard alone.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, settled } from "../harness.mjs";
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

/** The seven steps. go(id) changes the view; press and click are the two ways to do a thing. */
async function investigate(p, hand) {
  const seen = new Set(await p.$$eval(".rail a", (all) => all.map((a) => new URL(a.href).pathname.split("/")[3])));
  // 1 Does memory grow? The page opens on the finding.
  assert.equal(view(p), "summary");
  assert.match(await p.innerText(".main"), leak);
  await picture(p, `flow-${hand.name}-1-summary`);
  // 2 Since when, with what?
  if (seen.has("timeline")) {
    await hand.go("timeline");
    await ready(p, "timeline");
    await picture(p, `flow-${hand.name}-2-timeline`);
  }
  // 3 Which path?
  await hand.go("flame");
  await ready(p, "flame");
  await hand.search("parseContainerMetricsResponse");
  await eventually("the path is selected", () => leak.test(selected(p)));
  await p.waitForSelector(".side .facts");
  assert.match(await p.innerText(".side"), leak);
  await picture(p, `flow-${hand.name}-3-flame`);
  // 4 Which line?
  await hand.source();
  await ready(p, "source");
  assert.match(await p.innerText(".main"), leak);
  await picture(p, `flow-${hand.name}-4-source`);
  // 5 Who holds it? 6 What if it went?
  if (seen.has("retention")) {
    await hand.holders();
    await ready(p, "retention");
    await settled(p);
    assert.match(await p.innerText(".main"), /MetricsFetcher|containerSample/);
    await picture(p, `flow-${hand.name}-5-retention`);
  }
  // 7 Is it fixed? The first profile against the last.
  if (seen.has("compare")) {
    await hand.go("compare");
    await ready(p, "compare");
    await picture(p, `flow-${hand.name}-7-compare`);
  }
  assert.match(selected(p), leak, "one selection through all views");
  assert.deepEqual(serious(p), []);
}

test("seven steps by mouse", async () => {
  const p = await page(chrome, at, { theme: "light" });
  await ready(p, "summary");
  await investigate(p, {
    name: "mouse",
    go: (id) => p.click(`.rail a[href*="/${id}"]`),
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
  });
  await p.context().close();
});

test("seven steps by keyboard alone", async () => {
  const p = await page(chrome, at, { theme: "dark" });
  await ready(p, "summary");
  const digits = { summary: "1", flame: "2", graph: "3", table: "4", source: "5", timeline: "6", compare: "7", leaks: "8", retention: "9", goroutines: "0" };
  await investigate(p, {
    name: "keys",
    go: (id) => p.keyboard.press(digits[id]),
    search: async (text) => {
      await p.keyboard.press("/");
      await p.keyboard.type(text);
      await p.waitForSelector(".search .hits >> text=%");
      await p.keyboard.press("Enter");
      await eventually("selected", () => selected(p) !== "");
      await p.keyboard.press("Escape"); // empties the search
      await p.keyboard.press("Escape"); // leaves it
      await p.evaluate(() => document.activeElement?.id === "search" && document.activeElement.blur());
      if (!selected(p)) await p.keyboard.press("Control+z");
    },
    source: () => p.keyboard.press("o"),
    holders: () => p.keyboard.press("9"),
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
