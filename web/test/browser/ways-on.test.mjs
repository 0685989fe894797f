// Ways on from where a person may get stuck: keys with a base, rows that are
// lines, settings that cannot be, sessions that are gone, narrow windows.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serve } from "../harness.mjs";
import { encode, folder, heap } from "../profiles.mjs";

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

async function start(...args) {
  const s = await serve(exe, ...args);
  servers.push(s);
  return `${s.url}/v1/${await firstSession(s.url)}`;
}

const series = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${i}.pb.gz`, heap(i)]));
const key = (p, name) => new URL(p.url()).searchParams.get(name);

test("keys go through the profiles and never to the base", async () => {
  const [old, ...rest] = folder(series(3));
  const p = await page(chrome, `${await start("-base", old, ...rest)}/flame?cur=p1`);
  await p.keyboard.press("]");
  await eventually("the newest", () => key(p, "cur") === "p2");
  await p.keyboard.press("]");
  await p.waitForSelector(".toast >> text=the last profile");
  await p.keyboard.press("[");
  await eventually("the one before", () => key(p, "cur") === "p1");
  await p.keyboard.press("B");
  await eventually("the newest again", () => key(p, "cur") === "p2");
  await p.click(".topbar .pill[aria-haspopup=dialog]");
  assert.match(await p.textContent(".moments section:first-child"), /b1/);
  assert.doesNotMatch(await p.textContent(".moments section:last-child"), /b1/);
  await p.context().close();
});

test("the row that was clicked stays marked when rows are lines", async () => {
  const at = (name, line) => [name, "/src/main.go", line];
  const data = encode({
    types: [["samples", "count"], ["cpu", "nanoseconds"]],
    samples: [
      { stack: [at("main.spin", 20), at("main.main", 5)], values: [3, 3e7] },
      { stack: [at("main.spin", 22), at("main.main", 5)], values: [2, 2e7] },
    ],
  });
  const p = await page(chrome, `${await start(...folder({ "cpu.pb.gz": data }))}/table?x=gran:lines`);
  await p.click(".tr >> text=main.go:22");
  await eventually("marked", async () => /:22/.test((await p.textContent(".tr.sel").catch(() => "")) ?? ""));
  await p.click(".sandwich .neighbour >> text=main.go:5");
  await eventually("the caller", () => key(p, "sel") === "f:main.main");
  await eventually("its row", async () => /:5/.test((await p.textContent(".tr.sel").catch(() => "")) ?? ""));
  await p.context().close();
});

test("a setting that cannot be is left out by a click", async () => {
  const p = await page(chrome, `${await start(...folder(series(2)))}/summary?least=x`, { ready: false });
  await p.waitForSelector("text=Without this setting");
  assert.equal(await p.locator("button >> text=Undo").count(), 0);
  await p.click("text=Without this setting");
  await p.waitForSelector("[data-view=summary][data-ready]");
  assert.equal(key(p, "least"), null);
  await p.context().close();
});

test("a session that is gone is opened again where one stands", async () => {
  const p = await page(chrome, `${await start(...folder(series(2)))}/flame`);
  const gone = { status: 410, contentType: "application/json", body: JSON.stringify({ error: "This session is not open any more", hint: "" }) };
  await p.route(/\/api\/[0-9a-f]{12}\//, (r) => r.fulfill(gone));
  await p.keyboard.press("4");
  await p.waitForSelector(".main >> text=Open again");
  await p.unroute(/\/api\/[0-9a-f]{12}\//);
  await p.click(".main >> text=Open again");
  await p.waitForSelector("[data-view=table][data-ready]");
  // The server was started again with other files: asked anew, the session is known to be gone.
  await p.route(/\/api\/[0-9a-f]{12}\//, (r) => r.fulfill(gone));
  await p.keyboard.press("Control+k");
  await p.keyboard.type("Ask the server again");
  await p.keyboard.press("Enter");
  await p.waitForSelector(".main >> text=Open again");
  await p.unroute(/\/api\/[0-9a-f]{12}\//);
  await p.click(".main >> text=Open again");
  await p.waitForSelector("[data-view=table][data-ready]");
  await p.context().close();
});

test("a narrow summary keeps the verdict and cuts no figure", async () => {
  const at = await start(...folder(series(8)));
  for (const width of [1024, 1440]) {
    const p = await page(chrome, `${at}/summary`, { width });
    await picture(p, `summary-${width}`);
    const wide = await p.evaluate(() => [...document.querySelectorAll(".figure, .paths .table")].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent));
    assert.deepEqual(wide, []);
    const box = await p.locator(".paths .th >> text=Verdict").boundingBox();
    assert.ok(box && box.x + box.width <= width, `${JSON.stringify(box)} in ${width}`);
    await p.context().close();
  }
});
