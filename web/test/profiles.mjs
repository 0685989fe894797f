// Profiles made for the tests, in pprof's format, the same bytes each time.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Writer of protocol buffers: what pprof's format needs of it. */
class Message {
  bytes = [];
  varint(v) {
    let n = BigInt.asUintN(64, BigInt(v));
    while (n > 127n) {
      this.bytes.push(Number(n & 127n) | 128);
      n >>= 7n;
    }
    this.bytes.push(Number(n));
  }
  number(field, v) {
    if (!v) return;
    this.varint(field << 3);
    this.varint(v);
  }
  data(field, data) {
    this.varint((field << 3) | 2);
    this.varint(data.length);
    for (const b of data) this.bytes.push(b);
  }
  packed(field, values) {
    const m = new Message();
    for (const v of values) m.varint(v);
    this.data(field, m.bytes);
  }
}

/**
 * encode makes a profile. types are [type, unit] pairs; samples are
 * { stack: ["leaf", ..., "root"], values, labels }; a frame is a name or
 * [name, file, line].
 */
export function encode({ types, samples, time = 0, duration = 0, period = ["", ""], defaultType = "" }) {
  const strings = new Map([["", 0]]);
  const text = (s) => strings.get(s) ?? (strings.set(s, strings.size), strings.size - 1);
  const p = new Message();
  const pair = ([type, unit]) => {
    const m = new Message();
    m.number(1, text(type));
    m.number(2, text(unit));
    return m.bytes;
  };
  for (const t of types) p.data(1, pair(t));
  const functions = new Map();
  const locations = new Map();
  const locate = (frame) => {
    const [name, file = "/src/main.go", line = 10] = Array.isArray(frame) ? frame : [frame];
    const key = `${name}\0${file}\0${line}`;
    if (!locations.has(key)) {
      const fn = `${name}\0${file}`;
      if (!functions.has(fn)) functions.set(fn, { id: functions.size + 1, name, file });
      locations.set(key, { id: locations.size + 1, fn: functions.get(fn).id, line });
    }
    return locations.get(key).id;
  };
  for (const s of samples) {
    const m = new Message();
    m.packed(1, s.stack.map(locate));
    m.packed(2, s.values);
    for (const [k, v] of Object.entries(s.labels ?? {})) {
      const l = new Message();
      l.number(1, text(k));
      l.number(2, text(v));
      m.data(3, l.bytes);
    }
    p.data(2, m.bytes);
  }
  for (const l of locations.values()) {
    const line = new Message();
    line.number(1, l.fn);
    line.number(2, l.line);
    const m = new Message();
    m.number(1, l.id);
    m.data(4, line.bytes);
    p.data(4, m.bytes);
  }
  for (const f of functions.values()) {
    const m = new Message();
    m.number(1, f.id);
    m.number(2, text(f.name));
    m.number(3, text(f.name));
    m.number(4, text(f.file));
    p.data(5, m.bytes);
  }
  const periodType = pair(period);
  const def = text(defaultType);
  const utf8 = new TextEncoder();
  for (const s of strings.keys()) p.data(6, utf8.encode(s));
  p.number(9, BigInt(time) * 1000000n);
  p.number(10, duration);
  if (period[0]) p.data(11, periodType);
  p.number(12, 1);
  p.number(14, def);
  return gzipSync(Uint8Array.from(p.bytes), { level: 1 });
}

const GOROOT = "/usr/local/go/src/";
const serve = [["main.handleOrder", "/src/main.go", 80], ["net/http.HandlerFunc.ServeHTTP", GOROOT + "net/http/server.go", 2220], ["net/http.(*conn).serve", GOROOT + "net/http/server.go", 2036], ["runtime.goexit", GOROOT + "runtime/asm_amd64.s", 1700]];
const heapTypes = [["alloc_objects", "count"], ["alloc_space", "bytes"], ["inuse_objects", "count"], ["inuse_space", "bytes"]];
const mb = 1 << 20;

/** heap is one profile of a service whose orders grow, step 0, 1, 2 ... */
export function heap(step) {
  const site = (stack, space, objects) => ({ stack, values: [objects * 3, space * 3, objects, space] });
  return encode({
    types: heapTypes,
    period: ["space", "bytes"],
    defaultType: "inuse_space",
    time: Date.UTC(2026, 2, 4, 16, 19, 49) + step * 4000,
    samples: [
      site([["main.newOrder", "/src/main.go", 63], ...serve], (12 + 14 * step) * mb, 6000 + 7000 * step),
      site([["strings.Repeat", GOROOT + "strings/strings.go", 600], ["main.newOrder", "/src/main.go", 66], ...serve], (2 + step) * mb, 90000),
      site([["compress/flate.NewWriter", GOROOT + "compress/flate/deflate.go", 666], ["encoding/json.(*Encoder).Encode", GOROOT + "encoding/json/stream.go", 200], ...serve], [10, 4, 17][step % 3] * mb, 40),
      site([["github.com/acme/cache.(*LRU[github.com/acme/key.ID,go.shape.*uint8]).Put", "/go/pkg/mod/github.com/acme/cache@v1.2.0/lru.go", 41], ["main.main", "/src/main.go", 20], ["runtime.main", GOROOT + "runtime/proc.go", 283]], 3 * mb, 900),
      site([["runtime.malg", GOROOT + "runtime/proc.go", 5000], ["runtime.newproc1", GOROOT + "runtime/proc.go", 5100]], mb / 2, 200),
    ],
  });
}

/** names that would break a careless page. */
export const hostile = [
  "<script>document.title='broken'</script>",
  "<img src=x onerror=\"document.title='broken'\">",
  "main.\u202eevil\u202c.run",
  "main.Größe世界😀",
  "\u0000\u001b[31mred",
  "main.Big[" + Array.from({ length: 400 }, (_, i) => `github.com/acme/long/path/pkg${i}.Type`).join(",") + "]",
  "javascript:alert(1)",
  "x".repeat(3000),
];

export function hostileProfile() {
  return encode({
    types: [["cpu", "nanoseconds"]],
    period: ["cpu", "nanoseconds"],
    samples: hostile.map((name, i) => ({ stack: [[name, `/src/<b>${i}</b>.go`, i + 1], [hostile[(i + 1) % hostile.length]], "main.main"], values: [(i + 1) * 1e7], labels: { "<i>key</i>": hostile[i].slice(0, 50) } })),
  });
}

/** goroutines is a profile of many goroutines at few places. */
export function goroutines(n) {
  return encode({
    types: [["goroutine", "count"]],
    period: ["goroutine", "count"],
    samples: [
      { stack: [["runtime.gopark"], ["main.watch", "/src/main.go", 106]], values: [n] },
      { stack: [["runtime.gopark"], ["net/http.(*conn).serve", GOROOT + "net/http/server.go", 2036]], values: [12] },
    ],
  });
}

/** wide is a CPU profile with about so many nodes in its flame graph. */
export function wide(nodes) {
  let seed = 7;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const names = Array.from({ length: 3000 }, (_, i) => ["main", "net/http", "runtime", "github.com/acme/lib"][i % 4] + `.fn${i}`);
  const depth = 24;
  const samples = [];
  let stack = Array.from({ length: depth }, () => names[Math.floor(random() * names.length)]);
  for (let n = 0; n < nodes; ) {
    const keep = Math.floor((1 - random() ** 1.5) * depth);
    stack = [...stack.slice(0, keep), ...Array.from({ length: depth - keep }, () => names[Math.floor(random() * names.length)])];
    n += depth - keep;
    samples.push({ stack: [...stack].reverse(), values: [Math.ceil(1e6 * random() ** 4)] });
  }
  return encode({ types: [["cpu", "nanoseconds"]], period: ["cpu", "nanoseconds"], samples });
}

/** folder writes files into a new folder and gives their paths. */
export function folder(files) {
  const dir = mkdtempSync(join(tmpdir(), "profound-profiles-"));
  return Object.entries(files).map(([name, data]) => {
    const path = join(dir, name);
    writeFileSync(path, data);
    return path;
  });
}

/** deep is a CPU profile with almost so many nodes in its flame graph, each wide enough to be sent. */
export function deep(nodes) {
  let seed = 11;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const depth = 64;
  const names = Array.from({ length: 20_000 }, (_, i) => ["main", "net/http", "runtime", "github.com/acme/lib"][i % 4] + `.fn${i}`);
  const samples = [];
  for (let n = depth; n <= nodes; n += depth - 2) {
    const stack = ["main.main", "main.run", `main.path${samples.length}`];
    while (stack.length < depth) stack.push(names[Math.floor(random() * names.length)]);
    samples.push({ stack: stack.reverse(), values: [10_000_000] });
  }
  return encode({ types: [["cpu", "nanoseconds"]], period: ["cpu", "nanoseconds"], samples });
}
