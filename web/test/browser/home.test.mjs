// The start page: what is open, opening by name, dropping a file, links of
// sessions that were closed; a server that ends and comes back.

import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { browser, eventually, firstSession, page, picture, program, serious, serve, violations } from "../harness.mjs";
import { folder, goroutines, heap } from "../profiles.mjs";

let exe, chrome;

before(async () => {
  exe = program();
  chrome = await browser();
});
after(() => chrome?.close());

async function freePort() {
  const s = createServer().listen(0, "localhost");
  await new Promise((r) => s.on("listening", r));
  const { port } = s.address();
  await new Promise((r) => s.close(r));
  return port;
}

test("open by name, by the button, by dropping; what was open before is one click away", async () => {
  const [first, second] = folder({ "first.pb.gz": heap(0), "second.pb.gz": heap(2) });
  let server = await serve(exe, first);
  const before = await firstSession(server.url);
  server.stop();
  server = await serve(exe, second);
  const now = await firstSession(server.url);
  for (const theme of ["light", "dark"]) {
    const p = await page(chrome, `${server.url}/`, { theme, ready: false });
    await p.waitForSelector(".recent a");
    await picture(p, `home-recent-${theme}`);
    assert.deepEqual(await violations(p), []);
    await p.context().close();
  }
  const p = await page(chrome, `${server.url}/`, { ready: false });
  await p.fill("#source", "/nowhere/none.pb.gz");
  await p.keyboard.press("Enter");
  await p.waitForSelector("[role=alert] >> text=no such file");
  await p.fill("#source", first);
  await p.keyboard.press("Enter");
  await p.waitForSelector(".view[data-ready]");
  assert.ok(p.url().includes(before), "the same file has the same address");
  await p.goto(`${server.url}/`);
  await p.setInputFiles("input[type=file]", { name: "dropped.pb.gz", mimeType: "application/octet-stream", buffer: Buffer.from(goroutines(7)) });
  await p.waitForSelector(".view[data-ready]");
  await p.goto(`${server.url}/`);
  await eventually("three are open", async () => (await p.$$(".recent a")).length >= 3);
  await p.evaluate((data) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(data)], "nonsense.txt"));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: files, cancelable: true }));
  }, [...Buffer.from("this is no profile")]);
  await p.waitForSelector(".toast.bad");
  await picture(p, "home-nonsense");
  await p.click(`.recent a[href*="${now}"]`);
  await p.waitForSelector(".view[data-ready]");
  assert.deepEqual(serious(p), []);
  await p.context().close();
  server.stop();
});

test("a link whose session was closed opens it again; a link of a newer version says so", async () => {
  const [file, other] = folder({ "link.pb.gz": heap(1), "other.pb.gz": heap(0) });
  let server = await serve(exe, file);
  const id = await firstSession(server.url);
  server.stop();
  server = await serve(exe, other);
  const p = await page(chrome, `${server.url}/v1/${id}/table?sel=f:main.newOrder`, { ready: false });
  await p.waitForSelector(".empty h2 >> text=not open any more");
  assert.deepEqual(await violations(p), []);
  await picture(p, "link-closed");
  await p.click("text=Open again");
  await p.waitForSelector("[data-view=table][data-ready]");
  assert.match(p.url(), new RegExp(`${id}/table`));
  await p.goto(`${server.url}/v9/${id}/flame`);
  await p.waitForSelector(".empty h2 >> text=newer Profound");
  assert.ok((await p.$$(".empty button")).length > 0);
  await p.context().close();
  server.stop();
});

test("the server ends and comes back: the page says so and goes on", async () => {
  const files = folder({ "1.pb.gz": heap(0), "2.pb.gz": heap(1) });
  const port = await freePort();
  let server = await serve(exe, `-http=localhost:${port}`, ...files);
  const p = await page(chrome, `${server.url}/v1/${await firstSession(server.url)}/flame`);
  server.stop();
  await eventually("it is gone", () => fetch(server.url).then(() => false, () => true));
  await p.keyboard.press("4");
  await p.waitForSelector(".banner");
  assert.match(await p.textContent(".banner"), /does not answer/);
  server = await serve(exe, `-http=localhost:${port}`, ...files);
  await p.waitForSelector("[data-view=table][data-ready]", { timeout: 10_000 });
  await eventually("no banner", async () => (await p.$(".banner")) === null);
  await p.context().close();
  server.stop();
});

test("links of pprof land on the same thing, options as chips that can be taken away", async () => {
  const server = await serve(exe, ...folder({ "1.pb.gz": heap(1) }));
  const p = await page(chrome, `${server.url}/ui/flamegraph?f=newOrder&mean=true&si=inuse_space`);
  assert.match(p.url(), /flame\?.*mean=true/);
  await p.waitForSelector(".chip >> text=mean");
  await p.keyboard.press("4");
  await p.waitForSelector("[data-view=table][data-ready]");
  assert.match(p.url(), /table\?.*mean=true/);
  await p.keyboard.press("Y");
  await p.waitForSelector(".toast >> text=Command");
  const command = await p.evaluate(() => navigator.clipboard.readText());
  assert.match(command, /-mean=true/);
  assert.match(command, /-focus=newOrder/);
  await p.click(".chip:has-text('mean') .remove");
  await eventually("without", () => !/mean=/.test(p.url()));
  assert.deepEqual(serious(p), []);
  await p.context().close();
  server.stop();
});

test("the line opens in the editor that is named", async () => {
  process.env.PROFOUND_EDITOR = "vscode";
  const server = await serve(exe, ...folder({ "1.pb.gz": heap(1) }));
  delete process.env.PROFOUND_EDITOR;
  const p = await page(chrome, `${server.url}/v1/${await firstSession(server.url)}/table?sel=f:main.newOrder`);
  assert.equal(await p.getAttribute(".side a.btn", "href"), "vscode://file/src/main.go:63");
  await p.keyboard.press("t");
  await p.waitForSelector(".chip >> text=show only");
  await eventually("my code only", async () => !/net\/http/.test(await p.textContent(".main [role=grid]")));
  await p.context().close();
  server.stop();
});
