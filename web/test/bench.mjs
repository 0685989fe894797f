// Measures the page beside go tool pprof's, in one run, and prints JSON: a list
// of { name, what, unit, budget, ours, theirs }. internal/bench/compare runs it
// and writes docs/benchmarks.md.
//
//   PROFOUND, PPROF   the two programs
//   PGO               cmd/compile/default.pgo of the Go distribution
//   BIG               a CPU profile of very many samples
//   CHROMIUM          the browser; RUNS how often, default 7; QUICK for small inputs

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { browser, firstSession, page, serve } from "./harness.mjs";
import { deep, folder } from "./profiles.mjs";

const runs = Number(process.env.RUNS ?? 7);
const quick = !!process.env.QUICK;
const patience = 180_000;
const rows = [];
const note = (text) => process.stderr.write(text + "\n");

function report(name, what, unit, budget, ours, theirs) {
  rows.push({ name, what, unit, budget, ours, theirs });
  note(`${name}: ${what}: ${ours} ${unit}, pprof ${theirs ?? "-"}${budget ? `, budget ${budget}` : ""}`);
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
/** slowest is what all but a twentieth stay below. */
const slowest = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)];

/** servePprof starts pprof's page on a file. */
async function servePprof(file) {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const child = spawn(process.env.PPROF, [`-http=localhost:${port}`, "-no_browser", file], { stdio: "ignore" });
  const url = `http://localhost:${port}`;
  const end = Date.now() + patience;
  while (!(await fetch(`${url}/ui/nothing`).then(() => true, () => false))) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`pprof does not serve ${file}`);
    await sleep(20);
  }
  return { url, stop: () => child.kill() };
}

/** get is one question without a browser: milliseconds to the last byte, and bytes as sent. */
async function get(url) {
  const start = performance.now();
  const r = await fetch(url, { headers: { "Accept-Encoding": "gzip" }, signal: AbortSignal.timeout(patience) });
  let bytes = 0;
  for await (const part of r.body) bytes += part.length; // unpacked; see sent
  const ms = performance.now() - start;
  if (!r.ok) throw new Error(`${r.status} for ${url}`);
  return { ms, bytes };
}

/** visit opens an address in a new context: first paint, when a condition holds, bytes as sent. */
async function visit(chrome, url, drawn) {
  const context = await chrome.newContext({ viewport: { width: 1440, height: 900 } });
  const p = await context.newPage();
  const net = await context.newCDPSession(p);
  await net.send("Network.enable");
  let bytes = 0;
  net.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
  await p.goto(url, { timeout: patience, waitUntil: "commit" });
  const ms = await (await p.waitForFunction(drawn, undefined, { polling: "raf", timeout: patience })).jsonValue();
  const paint = await (await p.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime, undefined, { polling: "raf", timeout: patience })).jsonValue();
  await p.waitForLoadState("load", { timeout: patience });
  await sleep(100);
  return { p, context, ms, paint, bytes };
}

const flameDrawn = () => document.querySelector(".stage")?.stage?.times.length > 0 && document.querySelector(".view[data-ready]") && performance.now();
const pprofDrawn = () => document.querySelector("#boxes, .boxes, #stack-chart")?.children.length > 1 && performance.now();

async function firstPaint(chrome) {
  const ours = await serve(process.env.PROFOUND, process.env.PGO);
  const theirs = await servePprof(process.env.PGO);
  const at = `${ours.url}/v1/${await firstSession(ours.url)}/flame`;
  const a = [];
  const b = [];
  for (let i = 0; i <= runs; i++) {
    const x = await visit(chrome, at, flameDrawn);
    await x.context.close();
    const y = await visit(chrome, `${theirs.url}/ui/flamegraph`, pprofDrawn);
    await y.context.close();
    if (i > 0) a.push(x), b.push(y); // the first warms both up
  }
  const of = (list, key) => median(list.map((x) => x[key]));
  report("default.pgo", "first contentful paint", "ms", 200, of(a, "paint"), of(b, "paint"));
  report("default.pgo", "flame graph drawn", "ms", 0, of(a, "ms"), of(b, "ms"));
  report("default.pgo", "sent, page and answers", "bytes", 0, of(a, "bytes"), of(b, "bytes"));
  ours.stop();
  theirs.stop();
}

/** The flame graph of a million nodes, none of which is too narrow to be sent. */
async function manyNodes(chrome) {
  const nodes = quick ? 100_000 : 1_000_000;
  const [file] = folder({ "deep.pb.gz": deep(nodes) });
  const ours = await serve(process.env.PROFOUND, file);
  const at = `${ours.url}/v1/${await firstSession(ours.url)}/flame`;
  const times = [];
  let last;
  for (let i = 0; i < 3; i++) {
    await last?.context.close();
    last = await visit(chrome, i === 0 ? at : `${at}?min=0.0000${i}`, flameDrawn);
    times.push(last.ms);
  }
  const name = `flame graph of ${(nodes / 1e6).toFixed(1)} M nodes`;
  let pprof;
  const theirs = await servePprof(file);
  try {
    pprof = await get(`${theirs.url}/ui/flamegraph`);
  } catch (e) {
    note(`pprof: ${e.message}`);
  }
  theirs.stop();
  report(name, "first picture, from nothing (pprof: its page sent)", "ms", 1500, times[0], pprof?.ms);
  report(name, "sent", "bytes", 20e6, last.bytes, pprof?.bytes);
  const count = quick ? 60 : 240;
  const frames = await last.p.evaluate(animate, count);
  await last.context.close();
  // At 60 frames a second no interval is under 16.7 ms, however little there is to do. How long a frame takes shows where frames are not held back.
  const fast = await browser("--disable-frame-rate-limit", "--disable-gpu-vsync");
  const free = await visit(fast, at, flameDrawn);
  const unheld = await free.p.evaluate(animate, count);
  await fast.close();
  report(name, "median frame, panning and zooming, not held to 60 a second", "ms", 16, median(unheld.intervals));
  report(name, "slowest twentieth of these frames", "ms", 0, slowest(unheld.intervals));
  report(name, "median interval of frames at 60 a second", "ms", 16.8, median(frames.intervals));
  report(name, "median drawing of a frame", "ms", 16, median(frames.drawings));
  report(name, "slowest twentieth of drawings", "ms", 0, slowest(frames.drawings));
  ours.stop();
}

/** animate runs in the page: a wheel event a frame, zooming in, panning, zooming out. */
async function animate(count) {
  const stage = document.querySelector(".stage");
  const target = stage.querySelector("canvas") ?? stage;
  const box = target.getBoundingClientRect();
  const intervals = [];
  const drawings = [];
  let before = 0;
  stage.stage.times.length = 0;
  for (let i = 0; i <= count; i++) {
    const now = await new Promise(requestAnimationFrame); // after the drawing the last event asked for
    drawings.push(...stage.stage.times.splice(0));
    if (before) intervals.push(now - before);
    before = now;
    const phase = Math.floor((3 * i) / count);
    const how = phase === 1 ? { deltaX: i % 40 < 20 ? 25 : -25 } : { deltaY: phase === 0 ? -12 : 12, ctrlKey: true };
    target.dispatchEvent(new WheelEvent("wheel", { clientX: box.x + box.width * 0.4, clientY: box.y + box.height * 0.3, bubbles: true, cancelable: true, ...how }));
  }
  return { intervals, drawings };
}

/** A filter, a pivot and what else a click asks, on very many samples. */
async function clicks(chrome) {
  const ours = await serve(process.env.PROFOUND, process.env.BIG);
  const id = await firstSession(ours.url);
  const api = `${ours.url}/api/${id}/`;
  const name = `${quick ? "0.1" : "1"} M samples`;
  const start = await get(`${api}flame`);
  const table = await (await fetch(`${api}table?format=json`)).json();
  const names = pick(table);
  const ask = async (make) => {
    const list = [];
    for (const n of names) list.push((await get(`${api}${make(encodeURIComponent(n))}`)).ms);
    return list;
  };
  const exact = (n) => encodeURIComponent(`^${decodeURIComponent(n).replace(/[\\.*+?()[\]{}|^$]/g, "\\$&")}$`);
  const asked = {
    focus: await ask((n) => `flame?x=focus:${exact(n)}`),
    ignore: await ask((n) => `flame?x=ignore:${exact(n)}`),
    hide: await ask((n) => `flame?x=hide:${exact(n)}`),
    show: await ask((n) => `flame?x=show:${exact(n)}`),
    "show from": await ask((n) => `flame?x=showfrom:${exact(n)}`),
    drop: await ask((n) => `flame?x=drop:${n}`),
    merge: await ask((n) => `flame?x=merge:${n}`),
    "collapse recursion": await ask((n) => `flame?x=collapse:${n}`),
    "subtrees of": await ask((n) => `flame?x=root:${n}`),
    "around (pivot)": await ask((n) => `flame?dir=around&sel=f:${n}`),
    "table of a filter": await ask((n) => `table?x=focus:${exact(n).slice(0, -3)}`),
    "one function": await ask((n) => `function?sel=f:${n}`),
    summary: await ask((n) => `summary?sel=f:${n}`),
  };
  const up = await get(`${api}flame?dir=up`);
  const pictures = await filterPictures(chrome, `${ours.url}/v1/${id}/flame`, names.map((n) => `(${exact(encodeURIComponent(n))})`)); // another spelling: not answered before
  ours.stop();
  const theirs = await servePprof(process.env.BIG);
  const whole = await get(`${theirs.url}/ui/flamegraph`);
  const filtered = await get(`${theirs.url}/ui/flamegraph?f=${exact(encodeURIComponent(names[0]))}`);
  theirs.stop();
  report(name, "first flame graph", "ms", 0, start.ms, whole.ms);
  report(name, "its bytes, unpacked", "bytes", 0, start.bytes, whole.bytes);
  report(name, "bottom-up", "ms", 0, up.ms);
  for (const [what, list] of Object.entries(asked)) report(name, what, "ms", 300, median(list), what === "focus" ? filtered.ms : undefined);
  report(name, "focus, until it is drawn", "ms", 300, median(pictures), filtered.ms);
}

/** pick takes functions of different weight from a table's rows. */
function pick(table) {
  const rows = table.columns.frame_name; // the heaviest first
  if (!rows?.length) throw new Error(`the table has no names: ${Object.keys(table)}`);
  return [0.0005, 0.002, 0.01, 0.03, 0.1].map((share) => rows[Math.floor(share * rows.length)]);
}

/** filterPictures measures from the click to the drawing in the browser. */
async function filterPictures(chrome, at, patterns) {
  const p = await page(chrome, at);
  const times = [];
  for (const x of patterns) {
    times.push(
      await p.evaluate(async (x) => {
        const stage = document.querySelector(".stage").stage;
        const start = performance.now();
        history.pushState({ step: 1 }, "", `${location.pathname}?x=focus:${x}`);
        dispatchEvent(new PopStateEvent("popstate"));
        await new Promise(requestAnimationFrame);
        stage.times.length = 0;
        while (!document.querySelector(".view[data-ready]") || !document.querySelector(".stage").stage.times.length) await new Promise(requestAnimationFrame);
        return performance.now() - start;
      }, x),
    );
  }
  await p.context().close();
  return times;
}

const chrome = await browser();
try {
  for (const part of [firstPaint, manyNodes, clicks]) {
    if (!process.env.ONLY || process.env.ONLY === part.name) await part(chrome);
  }
} finally {
  await chrome.close();
}
process.stdout.write(JSON.stringify(rows, undefined, 1) + "\n");
process.exit(0);
