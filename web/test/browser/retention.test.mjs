// Retention and goroutines on the heap of a service that leaks in all ways.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { folder, goroutines, heap } from "../profiles.mjs";

let exe, chrome, service, snapshot, earlier, later, refused;
const servers = [];

before(async () => {
  exe = program();
  chrome = await browser();
  const dir = mkdtempSync(join(tmpdir(), "profound-heap-"));
  const run = async (name, sources) => {
    const path = join(dir, name);
    const built = spawnSync("go", ["build", "-o", path, "."], { cwd: new URL(`../../../${sources}`, import.meta.url) });
    assert.equal(built.status, 0, String(built.stderr));
    const child = spawn(path, [], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise((r) => child.stdout.once("data", r));
    return child;
  };
  const copy = (name, child) => {
    const path = join(dir, name);
    const copied = spawnSync(exe, ["snapshot", "-plain", "-o", path, String(child.pid)]);
    refused ||= copied.status === 0 ? false : `no snapshot can be taken here: ${copied.stderr}`;
    return path;
  };
  service = await run("leaksvc", "internal/goheap/testdata/leaksvc");
  snapshot = copy("leaksvc.snapshot", service);
  const grower = await run("grower", "cmd/profound/testdata/grower");
  earlier = copy("before.snapshot", grower);
  grower.stdin.write("\n");
  await new Promise((r) => grower.stdout.once("data", r));
  later = copy("after.snapshot", grower);
  grower.stdin.end();
});

after(async () => {
  await chrome?.close();
  for (const s of servers) s.stop();
  service?.stdin.end();
});

async function start(...sources) {
  const s = await serve(exe, ...sources);
  servers.push(s);
  return `${s.url}/v1/${await firstSession(s.url)}`;
}

const param = (p, key) => new URL(p.url()).searchParams.get(key);

test("why it is kept, by keyboard, in both themes", async (t) => {
  if (refused) return t.skip(refused);
  const at = await start(snapshot);
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${at}/retention`, { theme });
    await p.waitForSelector(".steps .cut");
    await p.waitForSelector(".treemap .tile");
    await picture(p, `retention-path-${theme}`);
    assert.deepEqual(await violations(p), []);
    const held = await p.textContent(".say");
    assert.match(held, /held by \*?main\./);
    await p.focus(".pair .btn.primary");
    await p.keyboard.press("Enter");
    await p.waitForSelector(".whatif");
    const frees = /frees (.*)$/.exec((await p.textContent(".pair .btn.primary")).trim())[1];
    assert.ok((await p.textContent(".whatif .figure")).startsWith(frees.split(" ")[0]), "the what-if counts what the path says");
    await picture(p, `retention-without-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.reload();
    await p.waitForSelector(".whatif");

    await p.focus(".tile[tabindex='0']");
    await p.keyboard.press("ArrowRight");
    await p.keyboard.press("ArrowRight");
    await eventually("a tile", () => param(p, "tile") !== null);
    await p.keyboard.press("Enter");
    await p.waitForSelector("[aria-label='Dominator tree'] .tr");
    assert.equal(param(p, "by"), "dominators");

    await p.focus("[role=grid]");
    await p.keyboard.press("Home");
    const rows = () => p.$eval("[role=grid]", (e) => Number(e.getAttribute("aria-rowcount")));
    const before = await rows();
    await p.keyboard.press("ArrowRight");
    await eventually("a row opened", async () => (await rows()) > before && param(p, "open") !== null);
    await p.keyboard.press("ArrowDown");
    await p.keyboard.press("ArrowLeft");
    await p.keyboard.press("ArrowLeft");
    await eventually("and closed", async () => (await rows()) === before);
    await p.keyboard.press("ArrowRight");
    await eventually("open", async () => (await rows()) > before);
    await picture(p, `retention-dominators-${theme}`);
    assert.deepEqual(await violations(p), []);
    for (const tab of ["types", "roots", "growth", "waste", "queues", "drops"]) {
      await p.keyboard.press(".");
      await eventually(tab, () => param(p, "by") === tab);
      await p.waitForSelector(tab === "growth" ? "pre >> text=profound snapshot -o before.snapshot PID" : ".tr");
      await picture(p, `retention-${tab}-${theme}`);
      assert.deepEqual(await violations(p), []);
    }
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("what has grown since an earlier heap, by keyboard, in both themes", async (t) => {
  if (refused) return t.skip(refused);
  const at = await start(later, earlier); // the order of time counts
  for (const [theme, width, height] of [["light", 1024, 700], ["dark", 1440, 900]]) {
    const p = await page(chrome, `${at}/retention?by=growth`, { theme, width, height });
    await p.waitForSelector(".steps .cut");
    assert.match(await p.textContent(".say"), /more are held by .* then, .* now\.$/);
    assert.match(await p.textContent(".topbar"), /before\.snapshot → after\.snapshot/);
    await picture(p, `retention-growth-${theme}`);
    assert.deepEqual(await violations(p), []);
    const first = await p.textContent(".pair h2");
    await p.focus("[role=grid]");
    await p.keyboard.press("Home");
    for (let i = 0; i < 2; i++) await p.keyboard.press("ArrowDown");
    await eventually("another path", async () => (await p.textContent(".pair h2")) !== first || param(p, "row") === "2");
    await p.keyboard.press("Enter");
    await p.waitForSelector(".whatif .figure");
    await p.keyboard.press("C");
    await p.waitForSelector(".toast >> text=Report copied");
    assert.match(await p.evaluate(() => navigator.clipboard.readText()), /Without .* go\s+free/);
    for (const by of ["dominators", "types", "roots"]) {
      await p.goto(`${at}/retention?by=${by}`);
      await p.waitForSelector(".tr .delta.up");
      await picture(p, `retention-change-${by}-${theme}`);
      assert.deepEqual(await violations(p), []);
      assert.ok(await p.$eval("[role=grid]", (e) => e.scrollWidth <= e.clientWidth), `${by}: the table scrolls sideways`);
    }
    await p.click("[role=columnheader] >> text=Root");
    await p.goto(`${at}/retention?by=types&sort=-change`);
    await p.waitForSelector(".tr");
    assert.match(await p.textContent(".tr[aria-rowindex='2'] .delta"), /^▲/);
    await p.goto(`${at}/retention?by=types&sel=t:main.session`);
    await p.waitForSelector("text=Changes are known of the whole heap only");
    assert.equal(await p.$(".tr .delta"), null);
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
});

test("a tree beside what would go free has room for ten rows", async (t) => {
  if (refused) return t.skip(refused);
  const at = await start(snapshot);
  for (const [width, height] of [[1440, 900], [1024, 700]]) {
    const p = await page(chrome, `${at}/retention?by=dominators&without=main.cache.byID`, { width, height });
    await p.waitForSelector(".whatif .figure");
    await p.waitForSelector(".tr");
    await picture(p, `retention-dominators-without-${width}`);
    assert.ok((await p.$eval("[role=grid]", (e) => e.clientHeight)) >= 10 * 28 + 30, `${width}: the tree is too low`);
    const boxes = await p.$$eval(".view > *", (all) => all.map((e) => e.getBoundingClientRect()).map((b) => [b.top, b.bottom]));
    for (let i = 1; i < boxes.length; i++) assert.ok(boxes[i][0] >= boxes[i - 1][1], `${width}: part ${i} lies on the one before`);
    await p.context().close();
  }
});

test("filters are those of profound why; filters of samples change nothing", async (t) => {
  if (refused) return t.skip(refused);
  const at = await start(snapshot);
  const p = await page(chrome, `${at}/retention?x=ignore:no_such_function`);
  await p.waitForSelector(".steps");
  assert.match(await p.getAttribute(".chip.off", "data-tip"), /change nothing here/);
  const add = async (what, expr) => {
    await p.click("text=+ Filter");
    await p.waitForSelector(".addfilter :focus"); // it is there, and takes the focus itself
    await p.selectOption(".addfilter select", what);
    await p.focus(".addfilter input");
    await p.keyboard.type(expr);
    await p.keyboard.press("Enter");
    await eventually(what, () => param(p, what) === expr);
  };
  await add("type", "Session$");
  await p.waitForSelector("text=Objects of types like");
  await picture(p, "retention-filter");
  assert.deepEqual(await violations(p), []);
  await p.reload();
  await p.waitForSelector(".chips >> text=Session$");
  await add("goroutine", "NoSuchGoroutine");
  await p.waitForSelector("text=Nothing is alive of objects of types like");
  await p.keyboard.press("Control+z");
  await eventually("undone", () => param(p, "goroutine") === null);
  await p.click(".chip:has-text('Session$') .remove");
  await eventually("everything", () => param(p, "type") === null);
  await add("site", "newSession");
  await eventually("by samples", async () => /^About/.test(await p.textContent(".say")));
  await p.goto(`${at}/retention?type=(`);
  await p.waitForSelector("text=regular expression");
  await p.click("text=Start from everything");
  await p.waitForSelector(".steps");
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("it begins at what is selected", async (t) => {
  if (refused) return t.skip(refused);
  const at = await start(snapshot);
  const p = await page(chrome, `${at}/retention?sel=f:main.newSession`);
  await p.waitForSelector(".steps");
  assert.match(await p.textContent(".say"), /^About /);
  assert.match(await p.textContent(".toolbar .chip"), /main\.newSession/);
  await p.click(".toolbar .chip .remove");
  await eventually("everything", async () => !(await p.$(".toolbar .chip")) && !/^About/.test(await p.textContent(".say")));
  await p.click("text=One of them");
  await p.waitForSelector("section[aria-label=Object]");
  await picture(p, "retention-object");
  assert.deepEqual(await violations(p), []);
  await p.goto(`${at}/retention?by=types`);
  await p.waitForSelector(".tr");
  await p.dblclick(".tr");
  await eventually("a type", () => param(p, "sel")?.startsWith("t:"));
  await p.waitForSelector(".steps");
  for (const [q, says] of [["sel=f:main.nobody", /whole heap/], ["at=0x10", /another copy/], ["at=x", /written/], ["without=main.nobody", /main\.nobody/]]) {
    await p.goto(`${at}/retention?${q}`);
    await eventually(q, async () => says.test(await p.textContent("main")));
  }
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("a process is copied when somebody says so", async (t) => {
  if (refused) return t.skip(refused);
  const at = await start(String(service.pid));
  const p = await page(chrome, `${at}/retention`);
  await p.waitForSelector("text=Copy its memory now");
  assert.match(await p.textContent("main"), /stands still for about/);
  await picture(p, "retention-ask");
  assert.deepEqual(await violations(p), []);
  await p.click("text=Copy its memory now");
  await p.waitForSelector(".steps", { timeout: 20000 });
  await p.keyboard.press("0");
  await p.waitForSelector(".tr");
  assert.match(await p.textContent("main"), /They hold/);
  await picture(p, "goroutines-heap");
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("of a process the leaks ask only when somebody says so", async (t) => {
  if (refused) return t.skip(refused);
  const files = {};
  for (let i = 0; i < 8; i++) files[`${i}.pb.gz`] = heap(i);
  const at = await start(String(service.pid), ...folder(files));
  const p = await page(chrome, `${at}/leaks`);
  await p.click("text=Ask who holds it");
  await p.waitForSelector("text=not copied yet");
  await p.goto(`${at}/summary?list=types`);
  await p.waitForSelector("text=Copy its memory now");
  await picture(p, "summary-types-ask");
  assert.deepEqual(await violations(p), []);
  await p.click("text=Copy its memory now");
  await p.waitForSelector(".paths .tr", { timeout: 20000 });
  await p.goto(`${at}/leaks`);
  await p.waitForSelector("text=Nothing that was sampled there");
  assert.equal(await p.$("text=Ask who holds it"), null);
  assert.deepEqual(serious(p), []);
  await p.context().close();
});

test("without a heap it says how to get one; goroutines work from profiles", async () => {
  const files = folder({ "1.pb.gz": heap(0), "2.pb.gz": heap(1), "g1.pb.gz": goroutines(3), "g2.pb.gz": goroutines(188) });
  const at = await start(...files);
  const p = await page(chrome, `${at}/retention`);
  await p.waitForSelector("text=profound snapshot PID");
  await picture(p, "retention-none");
  assert.deepEqual(await violations(p), []);
  for (const theme of ["light", "dark"]) {
    const q = await page(chrome, `${at}/goroutines?base=p1&kind=goroutine`, { theme });
    await q.waitForSelector(".tr");
    assert.match(await q.textContent(".say"), /200 goroutines, 15 in the base: 185 more waiting at main\.watch/);
    await q.focus("[role=grid]");
    await q.keyboard.press("Home");
    await eventually("selected", () => param(q, "sel") === "g:waiting at main.watch");
    await q.waitForSelector("aside >> text=Selected goroutines");
    await q.waitForSelector(".frames");
    await picture(q, `goroutines-${theme}`);
    assert.deepEqual(await violations(q), []);
    assert.deepEqual(serious(q), []);
    await q.context().close();
  }
  await p.context().close();
});
