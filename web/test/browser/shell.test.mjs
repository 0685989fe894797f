// The frame around the views: navigation, state, keyboard, failures.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { folder, goroutines, heap } from "../profiles.mjs";

let exe, server, chrome, at;

before(async () => {
  exe = program();
  server = await serve(exe, ...folder({ "heap-1.pb.gz": heap(0), "heap-2.pb.gz": heap(1), "heap-3.pb.gz": heap(2), "goroutine.pb.gz": goroutines(285) }));
  chrome = await browser();
  at = `${server.url}/v1/${await firstSession(server.url)}`;
});

after(async () => {
  await chrome?.close();
  server?.stop();
});

const path = (p) => p.url().slice(server.url.length).replace(/^\/v1\/[^/]+\//, "");

test("every part passes axe, in both themes", async () => {
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/flame?base=p1&sel=f:main.newOrder&x=hide:%5Eruntime%5C.`, { theme });
    await p.waitForSelector(".side .facts");
    await picture(p, `shell-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.keyboard.press("Control+k");
    await p.waitForSelector(".palette");
    assert.deepEqual(await violations(p), [], "palette");
    await picture(p, `palette-${theme}`);
    await p.keyboard.press("Escape");
    await p.keyboard.press("?");
    await p.waitForSelector(".help");
    assert.deepEqual(await violations(p), [], "help");
    await picture(p, `help-${theme}`);
    await p.keyboard.press("Escape");
    await p.click("text=Filter");
    await p.waitForSelector(".addfilter");
    assert.deepEqual(await violations(p), [], "filter");
    await p.goto(`${server.url}/`);
    await p.waitForSelector(".home");
    await picture(p, `home-${theme}`);
    assert.deepEqual(await violations(p), [], "home");
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("one URL is the whole state: filters, undo, redo, reload", async () => {
  const p = await page(chrome, `${at}/flame?sel=f:main.newOrder`);
  await p.keyboard.press("f");
  await eventually("focus in the URL", () => /x=focus:/.test(p.url()));
  await p.waitForSelector(".chip >> text=focus");
  await p.keyboard.press("h");
  await eventually("two filters", () => p.url().split("x=").length === 3);
  await p.keyboard.press("4");
  await eventually("table", () => path(p).startsWith("table?"));
  const full = p.url();
  await p.keyboard.press("Control+z");
  await eventually("back in the flame graph", () => path(p).startsWith("flame?"));
  await p.keyboard.press("Control+z");
  await eventually("one filter", () => p.url().split("x=").length === 2);
  await p.keyboard.press("Control+Shift+Z");
  await p.keyboard.press("Control+Shift+Z");
  await eventually("as before", () => p.url() === full);
  await p.reload();
  await p.waitForSelector("[data-view=table][data-ready]");
  assert.equal(p.url(), full);
  await p.click(".chip .remove");
  await eventually("chip removed", () => p.url().split("x=").length === 2);
  await p.context().close();
});

test("base, current, kind and value", async () => {
  const p = await page(chrome, `${at}/flame`);
  await p.keyboard.press("[");
  await eventually("the profile before", () => /cur=p2/.test(p.url()));
  await p.keyboard.press("A");
  await eventually("is the base", () => /base=p2/.test(p.url()));
  await p.keyboard.press("B");
  await eventually("the newest", () => /cur=p3/.test(p.url()));
  await p.keyboard.press("x");
  await eventually("swapped", () => /base=p3&cur=p2/.test(p.url()));
  await p.click(".topbar [role=radio] >> text=Goroutines");
  await eventually("another kind, its own profiles", () => path(p) === "flame?kind=goroutine");
  await p.keyboard.press("Control+z");
  await p.click(".topbar button >> text=value");
  await p.click("[role=menuitemradio] >> nth=0");
  await eventually("value", () => /value=alloc_objects/.test(p.url()));
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("search marks and counts, n goes on", async () => {
  const p = await page(chrome, `${at}/flame`);
  await p.keyboard.press("/");
  await p.keyboard.type("neworder");
  await p.waitForSelector(".search .hits >> text=%");
  await p.keyboard.press("Enter");
  await eventually("selected", () => /sel=f:main.newOrder/.test(p.url()));
  await p.keyboard.press("4");
  assert.match(await p.inputValue("#search"), /neworder4/, "keys in the field are text");
  await p.keyboard.press("Escape");
  await eventually("search is empty", async () => (await p.inputValue("#search")) === "");
  await p.context().close();
});

test("every failure is a sentence with a way on", async () => {
  const cases = [
    [`${at}/flame?x=paint:red`, /unknown transform/],
    [`${server.url}/v1/000000000000/flame`, /not open|session/i],
    [`${server.url}/v1/a/b/c`, /no page/],
    [`${at}/nonsense`, /no view/],
    [`${at}/flame?cur=p99`, /no heap profile|There are/i],
    [`${at}/flame?x=focus:(`, /./],
    [`${at}/flame?x=focus:nothing_matches_this`, /No samples/],
  ];
  for (const [url, want] of cases) {
    const p = await page(chrome, url, { ready: false });
    await p.waitForSelector(".empty h2");
    assert.match(await p.textContent(".empty"), want, url);
    assert.ok((await p.$$(".empty button")).length > 0, `a way on from ${url}`);
    assert.deepEqual(await violations(p), [], url);
    await p.context().close();
  }
});

test("a server that is gone, and is back", async () => {
  const p = await page(chrome, `${at}/flame`);
  await p.context().setOffline(true);
  await p.keyboard.press("4");
  await p.waitForSelector(".banner, .empty");
  await picture(p, "gone");
  assert.match(await p.textContent(".main"), /does not answer/);
  assert.deepEqual(await violations(p), []);
  await p.context().setOffline(false);
  await p.waitForSelector("[data-view=table][data-ready]", { timeout: 8000 });
  await eventually("no banner", async () => (await p.$(".banner")) === null);
  await p.context().close();
});

test("a narrow window has a drawer, a rail of icons, and nothing is cut off", async () => {
  const p = await page(chrome, `${at}/flame?base=p1&sel=f:main.newOrder`, { width: 900, height: 700 });
  await picture(p, "narrow");
  assert.equal(await p.isVisible(".side"), false);
  await p.click("[aria-label=Inspector] >> visible=true");
  await eventually("drawer", () => p.isVisible(".side"));
  await picture(p, "narrow-drawer");
  assert.deepEqual(await violations(p), []);
  await p.keyboard.press("Escape");
  await eventually("closed", async () => !(await p.isVisible(".side")));
  assert.equal(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await p.context().close();
});

test("theme is kept, letters can be turned off", async () => {
  const p = await page(chrome, `${at}/flame`, { theme: "light" });
  await p.click("[aria-label='Switch between light and dark']");
  await p.reload();
  await p.waitForSelector(".view[data-ready]");
  assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), "dark");
  await p.keyboard.press("?");
  await p.click(".help input[type=checkbox]");
  await p.keyboard.press("Escape");
  await p.keyboard.press("4");
  await p.keyboard.press("Control+k");
  await p.waitForSelector(".palette");
  assert.match(path(p), /^flame/);
  await p.context().close();
});
