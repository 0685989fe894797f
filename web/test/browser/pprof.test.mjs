// Addresses of pprof, its options, and reports that are documents of their own.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, program, serious, serve } from "../harness.mjs";
import { folder, heap } from "../profiles.mjs";

let exe, chrome, server, id;

before(async () => {
  exe = program();
  chrome = await browser();
  server = await serve(exe, ...folder({ "1.pb.gz": heap(1), "2.pb.gz": heap(2) }));
  id = await firstSession(server.url);
});
after(async () => {
  server?.stop();
  await chrome?.close();
});

test("sort=cum shows the largest first", async () => {
  const p = await page(chrome, `${server.url}/ui/top?sort=cum`);
  assert.match(p.url(), /table\?order=-cum/);
  await p.waitForSelector("[aria-sort=descending] >> text=Cum");
  await p.context().close();
});

test("options have chips where they change something", async () => {
  const p = await page(chrome, `${server.url}/v1/${id}/table?n=20&nf=0.01&mean=true`);
  const chips = () => p.$$eval(".chip .word", (list) => list.map((x) => x.textContent.trim()));
  assert.deepEqual(await chips(), ["mean"]);
  await p.keyboard.press("3");
  await p.waitForSelector("[data-view=graph][data-ready]");
  assert.match(p.url(), /graph\?.*n=20/);
  await p.waitForSelector("[aria-label='Boxes, at most'] [aria-checked=true] >> text=20");
  assert.ok((await chips()).includes("share from"));
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("source without samples says so, and how to have them again", async () => {
  const p = await page(chrome, `${server.url}/v1/${id}/source?x=focus:nobody`);
  await p.waitForSelector("text=No samples are left");
  await p.click("text=Remove all filters");
  await eventually("samples again", () => !/x=/.test(p.url()));
  await p.waitForSelector(".listing .code");
  await p.context().close();
});

test("reports have their styles and scripts in a browser", async () => {
  for (const kind of ["svg", "html", "weblist?of=newOrder"]) {
    const p = await page(chrome, `${server.url}/api/${id}/report/${kind}`, { ready: false });
    assert.ok((await p.evaluate(() => document.styleSheets[0].cssRules.length)) > 5, kind);
    if (kind === "svg") assert.equal(await p.getAttribute("svg", "tabindex"), "0"); // its script makes it so
    if (kind === "html") {
      await p.click("#tab-graph");
      await p.waitForSelector("#tab-graph[aria-selected=true]");
    }
    assert.deepEqual(serious(p), [], kind);
    await p.context().close();
  }
});
