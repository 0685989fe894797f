// The flame graph and the table on real answers, hostile names, speed.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { folder, heap, hostile, hostileProfile, wide } from "../profiles.mjs";

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

const selected = (p) => new URL(p.url()).searchParams.get("sel");

test("flame graph by keyboard alone", async () => {
  const at = await start({ "1.pb.gz": heap(0), "2.pb.gz": heap(1), "3.pb.gz": heap(2) });
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/flame?base=p1`, { theme });
    await picture(p, `flame-change-${theme}`);
    await p.keyboard.press("ArrowDown");
    await p.keyboard.press("ArrowDown");
    await p.keyboard.press("ArrowDown");
    await eventually("the widest way down", () => selected(p) === "f:net/http.(*conn).serve");
    await p.keyboard.press("ArrowDown");
    await p.keyboard.press("ArrowDown");
    await p.keyboard.press("ArrowDown");
    await eventually("to the leak", () => selected(p) === "f:main.newOrder");
    assert.match(await p.textContent("[role=tree] [aria-selected=true]"), /main\.newOrder, .* MB, .*%, up /);
    await p.keyboard.press("ArrowRight");
    await eventually("its neighbour", () => selected(p) === "f:encoding/json.(*Encoder).Encode");
    await p.keyboard.press("ArrowLeft");
    await p.keyboard.press("z");
    await eventually("zoomed", () => new URL(p.url()).searchParams.has("z"));
    await p.waitForSelector(".flame .whole");
    const zoomed = p.url();
    await p.reload();
    await p.waitForSelector(".flame .whole");
    assert.equal(p.url(), zoomed);
    await p.keyboard.press("Home");
    await eventually("whole", () => !new URL(p.url()).searchParams.has("z"));
    await p.keyboard.press("i");
    await p.waitForSelector("[role=radio][aria-checked=true] >> text=Bottom-up");
    await picture(p, `flame-up-${theme}`);
    await p.keyboard.press("a");
    await p.waitForSelector("[role=radio][aria-checked=true] >> text=Around");
    await eventually("drawn", () => p.evaluate(() => document.querySelector(".stage").stage.times.length > 0));
    await picture(p, `flame-around-${theme}`);
    assert.deepEqual(await violations(p), []);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("flame graph by mouse: hover, click, double click, wheel, drag", async () => {
  const at = await start({ "1.pb.gz": heap(0), "2.pb.gz": heap(2) });
  const p = await page(chrome, `${at}/flame`, { motion: "reduce" });
  const box = await p.locator(".stage").boundingBox();
  const row = (n) => box.y + n * 22 + 10;
  await p.mouse.move(box.x + 60, row(5));
  await p.waitForSelector(".flametip");
  assert.match(await p.textContent(".flametip"), /main\.newOrder/);
  await p.mouse.click(box.x + 60, row(5));
  await eventually("selected", () => selected(p) === "f:main.newOrder");
  await p.mouse.dblclick(box.x + 60, row(5));
  await p.waitForSelector(".flame .whole");
  await p.click(".flame .whole");
  await eventually("whole", async () => !(await p.$(".flame .whole")));
  await p.mouse.move(box.x + 200, row(3));
  await p.keyboard.down("Control");
  await p.mouse.wheel(0, -300);
  await p.keyboard.up("Control");
  await p.waitForSelector(".flame .whole");
  const left = () => p.evaluate(() => Number.parseFloat(document.querySelector(".mini .window").style.left));
  const before = await left();
  await p.mouse.down();
  await p.mouse.move(box.x + 60, row(3), { steps: 4 });
  await p.mouse.up();
  await eventually("panned", async () => (await left()) > before);
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("table: sort, filter, keyboard, sandwich", async () => {
  const at = await start({ "1.pb.gz": heap(0), "2.pb.gz": heap(1), "3.pb.gz": heap(2) });
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/table?base=p1`, { theme });
    await p.waitForSelector(".tr .spark");
    const first = () => p.textContent(".tr[aria-rowindex='2'] .name");
    assert.equal(await first(), "main.newOrder");
    await p.click(".th button >> text=Cum");
    await eventually("by cum", () => /order=-cum/.test(p.url()));
    assert.match(await first(), /main.handleOrder|runtime.goexit|net\/http/);
    await p.focus("[role=grid]");
    await p.keyboard.press("Home");
    await p.keyboard.press("ArrowDown");
    await p.waitForSelector(".sandwich .middle");
    assert.equal(await p.getAttribute(".tr.sel", "aria-rowindex"), "3");
    await p.fill("#tablefilter", "neworder");
    await eventually("one row", async () => (await p.$$(".tr")).length === 1);
    await p.focus("[role=grid]");
    await p.keyboard.press("ArrowDown");
    await p.waitForSelector(".sandwich .middle >> text=newOrder");
    await picture(p, `table-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.keyboard.press("Enter");
    await p.waitForSelector("[data-view=flame]");
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("names of a profile are text, never markup", async () => {
  const at = await start({ "hostile.pb.gz": hostileProfile() });
  for (const view of ["flame", "table"]) {
    for (const name of hostile.slice(0, 6)) {
      const p = await page(chrome, `${at}/${view}?sel=${encodeURIComponent("f:" + name)}&q=${encodeURIComponent(name.slice(0, 20))}&x=${encodeURIComponent("hide:<b>" + name.slice(0, 5).replace(/\W/g, "."))}`);
      await p.waitForTimeout(50);
      assert.doesNotMatch(await p.title(), /^broken/);
      assert.equal(await p.evaluate(() => document.querySelectorAll("main script, main img, aside script, aside img").length), 0);
      assert.equal(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the window");
      assert.deepEqual(serious(p), []);
      if (name === hostile[0]) {
        await picture(p, `hostile-${view}`);
        assert.deepEqual(await violations(p), []);
      }
      await p.context().close();
    }
  }
});

test("many nodes: frames in time", async () => {
  const at = await start({ "wide.pb.gz": wide(300_000) });
  const p = await page(chrome, `${at}/flame`);
  await eventually("drawn", () => p.evaluate(() => document.querySelector(".stage").stage.times.length > 0));
  const box = await p.locator(".stage").boundingBox();
  await p.mouse.move(box.x + 400, box.y + 60);
  await p.evaluate(() => (document.querySelector(".stage").stage.times.length = 0));
  await p.keyboard.down("Control");
  for (let i = 0; i < 12; i++) await p.mouse.wheel(0, -60);
  await p.keyboard.up("Control");
  for (let i = 0; i < 12; i++) await p.mouse.wheel(40, 0);
  const times = await p.evaluate(() => document.querySelector(".stage").stage.times.slice().sort((a, b) => a - b));
  await picture(p, "wide");
  console.log(`drawings ${times.length}, median ${times[times.length >> 1].toFixed(1)} ms, slowest ${times.at(-1).toFixed(1)} ms`);
  assert.ok(times[times.length >> 1] < 40, `median ${times[times.length >> 1]} ms`);
  await p.context().close();
});
