// The copy of the page in one HTML file: opened from the disk, with no server
// and no network, it shows the same.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { browser, eventually, firstSession, page, picture, program, serious, serve, settled, violations } from "../harness.mjs";
import { demoRun } from "../demo.mjs";
import { encode, folder, hostileProfile, wide } from "../profiles.mjs";

/** A profile whose files and labels would end the element that has the answers. */
const end = "</script><script>document.title='broken'</script>";
const ending = encode({ types: [["cpu", "nanoseconds"]], period: ["cpu", "nanoseconds"], samples: [{ stack: [["main.end", `/src/${end}.go`, 3], ["main.main"]], values: [1e9], labels: { [end]: end } }] });

let exe, chrome, dir;
const places = {};
const servers = [];

before(async () => {
  exe = program();
  chrome = await browser();
  dir = mkdtempSync(join(tmpdir(), "profound-copies-"));
  for (const [name, sources] of Object.entries({ demo: await demoRun(exe), cpu: folder({ "cpu.pb.gz": wide(3000) }), hostile: folder({ "<img src=x>.pb.gz": hostileProfile(), "b.pb.gz": ending }) })) {
    const s = await serve(exe, ...sources);
    servers.push(s);
    places[name] = `${s.url}/v1/${await firstSession(s.url)}`;
  }
});

after(async () => {
  await chrome?.close();
  for (const s of servers) s.stop();
});

let copies = 0;

/** saveCopy exports what is shown at an address, as a person would. */
async function saveCopy(at, { lines = false, theme = "dark" } = {}) {
  const p = await page(chrome, at, { theme, ready: false });
  await settled(p);
  await p.keyboard.press("Control+s");
  await p.waitForSelector("dialog.export");
  assert.deepEqual(await violations(p), [], "dialog");
  await picture(p, `export-dialog-${theme}`);
  if (lines) await p.check(".export input");
  const [file] = await Promise.all([p.waitForEvent("download", { timeout: 60_000 }), p.click(".export .primary")]);
  await p.waitForSelector(".toast >> text=/^\\d.* MB saved\\.$/");
  assert.match(file.suggestedFilename(), /\.html$/);
  const path = join(dir, `copy${copies++}.html`);
  await file.saveAs(path);
  assert.deepEqual(serious(p), []);
  await p.context().close();
  return path;
}

/** openCopy opens a copy where there is nothing else. */
async function openCopy(path, { theme = "dark", hash = "", width = 1440 } = {}) {
  const context = await chrome.newContext({ viewport: { width, height: 900 }, colorScheme: theme, offline: true });
  const p = await context.newPage();
  p.problems = [];
  p.requests = [];
  p.on("pageerror", (e) => p.problems.push(e.message));
  p.on("console", (m) => m.type() === "error" && p.problems.push(m.text()));
  p.on("request", (r) => p.requests.push(r.url()));
  await p.goto(pathToFileURL(path).href + hash);
  await settled(p);
  return p;
}

/** close checks what no copy may do. */
async function close(p) {
  assert.deepEqual(p.problems, []);
  assert.deepEqual([...new Set(p.requests.map((r) => r.replace(/#.*/, "")))], [p.url().replace(/#.*/, "")], "it asked for something");
  await p.context().close();
}

const state = (p) => p.url().split("#")[1] ?? "";

/** answers are what a copy has in itself. */
function answers(path) {
  const text = /id="saved">([^<]*)</.exec(readFileSync(path, "utf8"))[1];
  return Object.entries(JSON.parse(text).answers).map(([url, data]) => [url, gunzipSync(Buffer.from(data.split(",")[1], "base64")).toString()]);
}

test("every view of a copy, in both themes, without a network", async (t) => {
  for (const name of ["demo", "cpu"]) {
    const path = await saveCopy(`${places[name]}/`, { theme: name === "demo" ? "light" : "dark" });
    for (const theme of ["light", "dark"]) {
      const p = await openCopy(path, { theme });
      assert.match(await p.innerText(".savednote"), /^Saved copy of .*, \d+ \w+ \d{4} \d\d:\d\d\. The live page: profound web ./);
      const views = await p.$$eval(".rail a", (all) => all.map((a) => a.getAttribute("href")));
      assert.ok(views.length > 4 && views.every((v) => v.startsWith("#/v1/")), `${views}`);
      for (const href of views) {
        const view = href.split(/[/?]/)[3];
        await t.test(`${name} ${view} ${theme}`, async () => {
          await p.click(`.rail a[href="${href}"]`);
          await p.waitForSelector(`.view[data-view=${view}]`);
          await settled(p);
          await picture(p, `export-${name}-${view}-${theme}`);
          assert.doesNotMatch(await p.innerText(".main .view"), /does not have that/);
          assert.deepEqual(await violations(p), []);
          assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
        });
      }
      await close(p);
    }
  }
});

test("a copy begins as the page was, and goes on", async () => {
  const fn = "main.fn4";
  const path = await saveCopy(`${places.cpu}/flame?dir=up&sel=f:${fn}&q=fn40&x=hide:%5Eruntime%5C.`);
  const p = await openCopy(path);
  await p.waitForSelector("[role=radio][aria-checked=true] >> text=Bottom-up");
  await p.waitForSelector(".chip >> text=hide");
  await p.waitForSelector(".search .hits >> text=%");
  assert.equal(await p.innerText(".side .title"), fn);
  await p.waitForSelector(".side .facts");

  await p.keyboard.press("i"); // top-down
  await eventually("top-down", () => !state(p).includes("dir="));
  await settled(p);
  await p.keyboard.press("z");
  await p.waitForSelector(".flame .whole");
  const zoomed = state(p);
  await p.reload();
  await p.waitForSelector(".flame .whole");
  assert.equal(state(p), zoomed);
  await p.keyboard.press("Home");
  await p.keyboard.press("n");
  await eventually("the next match", async () => /^main\.fn40|^net\/http\.fn40|lib\.fn40|fn40/.test(await p.innerText(".side .title")));

  await p.keyboard.press("4");
  await p.waitForSelector("[data-view=table][data-ready]");
  await p.fill("#tablefilter", "fn12");
  await eventually("filtered", async () => /of/.test(await p.innerText(".toolbar .label")));
  await p.click("[role=columnheader] button >> text=Function");
  await p.waitForSelector("[aria-sort] >> text=Function");
  await p.fill("#tablefilter", "");
  await p.click("[role=columnheader] button >> text=Flat");
  await p.waitForSelector("[aria-sort=descending] >> text=Flat");
  await p.focus(".table");
  await p.keyboard.press("Home"); // the largest; not every small one is in the copy
  await p.waitForSelector(".sandwich .middle");
  await p.waitForSelector(".side .facts");

  await p.keyboard.press("d"); // a new filter needs the program
  await p.waitForSelector(".main .empty");
  assert.match(await p.innerText(".main .empty"), /This saved copy does not have that\.\s+Saved copy of .* The live page: profound web .*cpu\.pb\.gz/);
  assert.deepEqual(await violations(p), []);
  await picture(p, "export-missing");
  await p.keyboard.press("Control+z");
  await p.waitForSelector("[data-view=table][data-ready]");
  await p.click(".logo");
  await eventually("as it was saved", () => /flame\?.*dir=up/.test(state(p)));
  await p.keyboard.press("Y");
  await p.waitForSelector(".toast >> text=copied");
  await p.keyboard.press("Control+k");
  await p.fill(".palette input", "html");
  await p.waitForSelector(".palette .nothing");
  await p.keyboard.press("Escape");
  await close(p);
});

test("from the finding to the holder in a copy", async () => {
  const path = await saveCopy(`${places.demo}/summary`);
  const p = await openCopy(path, { width: 1100 });
  await p.click("text=Show the path");
  await p.waitForSelector("[data-view=flame][data-ready]");
  await p.waitForSelector(".side .facts");
  await p.keyboard.press("o");
  await p.waitForSelector("[data-view=source][data-ready]");
  assert.match(await p.innerText(".listing"), /Source lines were not saved/);
  await picture(p, "export-nosource");
  if (await p.$(".rail a >> text=Retention")) {
    await p.keyboard.press("1");
    await p.click("text=Who holds it");
    await p.waitForSelector("h2.say");
    await p.click("text=/^Without this reference/");
    await p.waitForSelector("text=/go free/");
    await picture(p, "export-holder");
  }
  await close(p);
});

test("source lines go with it when asked for only", async () => {
  const line = /func parseContainerMetricsResponse/;
  const has = (path) => answers(path).filter(([, text]) => line.test(text)).map(([url]) => url);
  assert.deepEqual(has(await saveCopy(`${places.demo}/source`)), []);
  const path = await saveCopy(`${places.demo}/source`, { lines: true });
  assert.notDeepEqual(has(path), []);
  const p = await openCopy(path);
  await p.waitForSelector(".listing .code >> text=parseContainerMetricsResponse");
  await p.click(".places li >> nth=1 >> button");
  await p.waitForSelector(".side .facts");
  await picture(p, "export-source");
  await close(p);
});

test("names stay names, and the policy lets nothing in", async () => {
  const path = await saveCopy(`${places.hostile}/table?cur=all`);
  const text = readFileSync(path, "utf8");
  assert.equal(text.match(/<\/script/gi).length, 3, "a name ends a script");
  for (const theme of ["light", "dark"]) {
    const p = await openCopy(path, { theme });
    for (const href of await p.$$eval(".rail a", (all) => all.map((a) => a.getAttribute("href")))) {
      await p.click(`.rail a[href="${href}"]`);
      await settled(p);
      assert.notEqual(await p.title(), "broken");
      assert.equal(await p.$$eval("main script, main img, main i > i", (l) => l.length), 0);
    }
    await p.keyboard.press("4");
    await p.waitForSelector(".tr");
    await p.locator(".tr:has-text('javascript:alert')").first().click();
    await p.waitForSelector(".side .facts");
    assert.equal(await p.innerText(".side .title"), "javascript:alert(1)");
    await p.locator(".tr:has-text('main.end')").first().click();
    await p.waitForSelector(".side .facts");
    assert.match(await p.innerText(".side .where"), /script>\.go:3/);
    await picture(p, `export-hostile-${theme}`);
    assert.deepEqual(await violations(p), []);
    if (theme === "dark") {
      await close(p);
      continue;
    }
    await p.evaluate(async () => {
      const seen = [];
      document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
      await fetch("http://localhost:1/").catch(() => 0);
      new Image().src = "http://localhost:1/a.png";
      const s = document.createElement("script");
      s.textContent = "document.title = 'broken'";
      document.body.append(s);
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = "http://localhost:1/a.css";
      document.head.append(link);
      globalThis.seen = seen;
    });
    await p.waitForFunction(() => globalThis.seen.length >= 4);
    const blocked = await p.evaluate(() => [document.title, ...globalThis.seen.sort()].join(" "));
    assert.match(blocked, /^(?!broken).* connect-src img-src script-src-elem style-src-elem$/);
    await p.context().close();
  }
});
