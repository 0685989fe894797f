// Source with heat by line, and the call graph.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { encode, folder, heap, hostile, hostileProfile } from "../profiles.mjs";

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

const params = (p) => new URL(p.url()).searchParams;
const heaps = () => ({ "1.pb.gz": heap(0), "2.pb.gz": heap(1), "3.pb.gz": heap(2) });

/** packages is a CPU profile of the standard library, whose sources every Go has. */
function packages() {
  const f = (name, file, line) => [name, `/usr/local/go/src/${file}`, line];
  const root = [f("net/http.(*conn).serve", "net/http/server.go", 2036), f("runtime.main", "runtime/proc.go", 283)];
  const put = (ms, ...stack) => ({ stack: [...stack, ...root], values: [ms * 1e6] });
  return encode({
    types: [["cpu", "nanoseconds"]],
    period: ["cpu", "nanoseconds"],
    samples: [
      put(300, f("strings.Repeat", "strings/strings.go", 30), f("encoding/json.(*encodeState).marshal", "encoding/json/encode.go", 40)),
      put(120, f("strings.Index", "strings/strings.go", 32), f("encoding/json.(*encodeState).marshal", "encoding/json/encode.go", 41)),
      put(80, f("sort.Sort", "sort/sort.go", 44)),
    ],
  });
}

test("source: heat, hot lines, lists, selection of a line", async () => {
  const at = await start({ "cpu.pb.gz": packages() });
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/source?sel=f:strings.Repeat`, { theme });
    await p.waitForSelector(".coderow.sel");
    assert.match(await p.textContent(".coderow.sel"), /^30300/);
    assert.ok(await p.$(".coderow.hot3"));
    assert.ok((await p.$$(".coderow .c-k, .coderow .c-c")).length > 0, "colours of Go");
    await p.waitForSelector(".places li button");
    await p.keyboard.press("j");
    await eventually("the next hot line", () => /strings\.go:32$/.test(params(p).get("sel") ?? ""));
    await p.focus(".code");
    await p.keyboard.press("ArrowDown");
    await eventually("one line down", () => /strings\.go:33$/.test(params(p).get("sel") ?? ""));
    await p.waitForSelector(".side >> text=Nothing was sampled on this line");
    await p.keyboard.press("ArrowUp");
    await p.waitForSelector(".side .facts");
    await picture(p, `source-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.click(".places [role=radio] >> text=Files");
    await p.click(".places li button >> text=sort.go");
    await p.waitForSelector(".filename >> text=sort.go");
    await p.click(".places [role=radio] >> text=Functions");
    await p.click(".places li button >> text=marshal");
    await eventually("the function", () => params(p).get("sel") === "f:encoding/json.(*encodeState).marshal");
    await p.waitForSelector(".coderow .calls >> text=strings.Repeat");
    await p.keyboard.press("s");
    await p.waitForSelector(".notthere >> text=PPROF_BINARY_PATH");
    await picture(p, `assembly-missing-${theme}`);
    assert.deepEqual(await violations(p), []);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("source that is not here: the numbers, a sentence, and where it was looked for", async () => {
  const at = await start(heaps());
  const p = await page(chrome, `${at}/source?sel=f:main.newOrder&base=p1`);
  await p.waitForSelector(".notthere >> text=-source_path");
  await p.click(".notthere summary");
  assert.ok((await p.$$(".notthere li")).length > 0);
  assert.match(await p.textContent(".coderow.sel"), /main\.newOrder/);
  await p.waitForSelector(".codehead >> text=cum, base");
  await picture(p, "source-missing");
  assert.deepEqual(await violations(p), []);
  await p.goto(`${at}/source?sel=l:/etc/passwd:1`);
  await p.waitForSelector(".foot >> text=passwd has no lines");
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("call graph: packages open, keyboard walks, change, file", async () => {
  const at = await start(heaps());
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/graph`, { theme });
    await p.waitForSelector(".gnode");
    const names = () => p.$$eval("[id^=graph-][role=option]", (l) => l.map((e) => e.textContent));
    assert.ok((await names()).some((n) => /^package main, 3 functions/.test(n)), String(await names()));
    await picture(p, `graph-packages-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.keyboard.press("ArrowDown");
    await eventually("a box is chosen", () => params(p).has("at"));
    for (let i = 0; i < 6 && params(p).get("at") !== "main"; i++) await p.keyboard.press("ArrowDown");
    assert.equal(params(p).get("at"), "main");
    await p.keyboard.press("Enter");
    await eventually("opened", () => params(p).get("open") === "main");
    await p.waitForSelector(".chip >> text=main");
    await eventually("functions", async () => (await names()).some((n) => /^main\.newOrder, 40 MB/.test(n) || /^main\.newOrder/.test(n)));
    await p.mouse.move(10, 10);
    const box = await p.locator(".gnode", { hasText: "newOrder" }).first().boundingBox();
    await p.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await p.waitForSelector(".graphstage.dim");
    await p.waitForSelector(".graphtip >> text=main.newOrder");
    await picture(p, `graph-open-${theme}`);
    await p.mouse.down();
    await p.mouse.up();
    await eventually("selected", () => params(p).get("sel") === "f:main.newOrder");
    await p.keyboard.press("ArrowUp");
    await eventually("its caller", () => params(p).get("sel") === "f:main.handleOrder");
    await p.keyboard.press("Backspace");
    await eventually("closed", () => params(p).get("open") === "-");
    await p.goto(`${at}/graph?base=p1&by=function`);
    await p.waitForSelector(".gnode.g-more");
    await picture(p, `graph-change-${theme}`);
    assert.deepEqual(await violations(p), []);
    const href = await p.getAttribute("a[download]", "href");
    const svg = await (await fetch(new URL(href, at))).text();
    assert.match(svg, /^<\?xml[^]*main\.newOrder/);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("call graph: zoom, pan, fit, search", async () => {
  const at = await start({ "cpu.pb.gz": packages() });
  const p = await page(chrome, `${at}/graph?by=function`);
  await p.waitForSelector(".gnode");
  const transform = () => p.getAttribute(".graphstage svg > g", "transform");
  const first = await transform();
  await p.keyboard.press("+");
  await eventually("zoomed", async () => (await transform()) !== first);
  const box = await p.locator(".graphstage").boundingBox();
  const zoomed = await transform();
  await p.mouse.move(box.x + 20, box.y + 20);
  await p.mouse.down();
  await p.mouse.move(box.x + 90, box.y + 60, { steps: 4 });
  await p.mouse.up();
  await eventually("panned", async () => (await transform()) !== zoomed);
  await p.keyboard.press("Home");
  await p.fill(".search input", "repeat");
  await p.waitForSelector(".gnode.hit");
  await p.waitForSelector(".hits >> text=1 box");
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("names are text in source and graph too", async () => {
  const at = await start({ "hostile.pb.gz": hostileProfile() });
  for (const view of ["graph?by=function", "source?asm=1"]) {
    for (const name of hostile.slice(0, 6)) {
      const p = await page(chrome, `${at}/${view}&sel=${encodeURIComponent("f:" + name)}`);
      await p.waitForTimeout(50);
      assert.doesNotMatch(await p.title(), /^broken/);
      assert.equal(await p.evaluate(() => document.querySelectorAll("main script, main img, aside script, aside img").length), 0);
      assert.equal(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the window");
      assert.deepEqual(serious(p), []);
      if (name === hostile[0]) {
        await picture(p, `hostile-${view.slice(0, 5)}`);
        assert.deepEqual(await violations(p), []);
      }
      await p.context().close();
    }
  }
});

test("narrow window", async () => {
  const at = await start({ "cpu.pb.gz": packages() });
  for (const view of ["source", "source?asm=1", "graph"]) {
    const p = await page(chrome, `${at}/${view}`, { width: 800, height: 700 });
    await p.waitForTimeout(100);
    await picture(p, `narrow-${view.replace(/\W+/g, "-")}`);
    assert.equal(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(await violations(p), []);
    await p.context().close();
  }
});
