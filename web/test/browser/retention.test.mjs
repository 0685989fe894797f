// Retention and goroutines on the heap of a service that leaks in all ways.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { folder, goroutines, heap } from "../profiles.mjs";

let exe, chrome, service, snapshot, refused;
const servers = [];

before(async () => {
  exe = program();
  chrome = await browser();
  const dir = mkdtempSync(join(tmpdir(), "profound-heap-"));
  const svc = join(dir, "leaksvc");
  const built = spawnSync("go", ["build", "-o", svc, "."], { cwd: new URL("../../../internal/goheap/testdata/leaksvc", import.meta.url) });
  assert.equal(built.status, 0, String(built.stderr));
  service = spawn(svc, [], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((r) => service.stdout.once("data", r));
  snapshot = join(dir, "leaksvc.snapshot");
  const copied = spawnSync(exe, ["snapshot", "-plain", "-o", snapshot, String(service.pid)]);
  refused = copied.status === 0 ? false : `no snapshot can be taken here: ${copied.stderr}`;
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
    for (const tab of ["types", "roots", "waste"]) {
      await p.keyboard.press(".");
      await eventually(tab, () => param(p, "by") === tab);
      await p.waitForSelector(".tr");
      await picture(p, `retention-${tab}-${theme}`);
      assert.deepEqual(await violations(p), []);
    }
    assert.deepEqual(serious(p), []);
    await p.context().close();
  }
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
