// Numbers in words. Values come in base units (bytes, nanoseconds, counts);
// a column has one unit and one number of decimals, so that digits line up.

/** From which size on a time is printed in the unit: seconds up to ten minutes, and so on. */
const timeFrom: Readonly<Record<string, number>> = { " min": 600e9, " h": 3 * 3600e9, " d": 3 * 24 * 3600e9 };

/** A scale is a unit to print values in. */
export interface Scale {
  /** What one printed unit is in base units. */
  factor: number;
  /** The printed name with its space before it: " MB". */
  label: string;
  decimals: number;
}

const byteSteps: readonly [number, string][] = [[1, " B"], [2 ** 10, " kB"], [2 ** 20, " MB"], [2 ** 30, " GB"], [2 ** 40, " TB"], [2 ** 50, " PB"]];
const times: readonly [number, string][] = [[1, " ns"], [1e3, " µs"], [1e6, " ms"], [1e9, " s"], [60e9, " min"], [3600e9, " h"], [24 * 3600e9, " d"]];
const counts: readonly [number, string][] = [[1, ""], [1e3, " k"], [1e6, " M"], [1e9, " G"], [1e12, " T"]];

function family(unit: string): { steps: readonly [number, string][]; suffix: string } {
  if (unit === "bytes" || unit === "B") return { steps: byteSteps, suffix: "" };
  if (unit === "nanoseconds" || unit === "ns") return { steps: times, suffix: "" };
  if (unit === "count" || unit === "") return { steps: counts, suffix: "" };
  return { steps: counts, suffix: unit === "objects" || unit === "samples" || unit === "goroutines" ? "" : ` ${unit}` };
}

/** scaleFor chooses the unit in which a value of this size has 3 to 4 digits. */
export function scaleFor(size: number, unit: string): Scale {
  const { steps, suffix } = family(unit);
  const v = Math.abs(size);
  // Plain counts up to five digits are clearer with all their digits.
  if (steps === counts && v < 1e5) return { factor: 1, label: suffix, decimals: Number.isInteger(size) || v >= 100 ? 0 : 1 };
  let step = steps[0] as [number, string];
  // 1000 kB is a MB already, though a MB has 1024: no more than three digits before the point.
  for (const s of steps) if (v >= (timeFrom[s[1]] ?? s[0] * (steps === byteSteps && s[0] > 1 ? 1000 / 1024 : 1))) step = s;
  const n = v / step[0];
  return { factor: step[0], label: step[1] + suffix, decimals: step[0] === 1 && Number.isInteger(size) ? 0 : n >= 100 ? 1 : 2 };
}

/** columnScale is one scale for many values: that of the largest, with decimals for the small ones. */
export function columnScale(values: Iterable<number>, unit: string): Scale {
  let max = 0;
  for (const v of values) if (Math.abs(v) > max) max = Math.abs(v);
  return scaleFor(max, unit);
}

/** inScale prints a value in a given scale, without the unit. What is not nothing does not look like nothing. */
export function inScale(v: number, s: Scale): string {
  const n = v / s.factor;
  if (v !== 0 && s.decimals > 0 && Math.abs(n) < 0.5 * 10 ** -s.decimals) return (v < 0 ? "−" : "") + "<" + (10 ** -s.decimals).toFixed(s.decimals);
  return group(n, s.decimals);
}

function group(n: number, decimals: number): string {
  const text = Math.abs(n).toFixed(decimals);
  const [whole = "0", rest] = text.split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole;
  const sign = n < 0 && Number(text) !== 0 ? "−" : "";
  return sign + grouped + (rest ? "." + rest : "");
}

/** quantity prints one value with its unit: "45.94 MB", "137 MB". */
export function quantity(v: number, unit: string): string {
  const s = scaleFor(v, unit);
  return trimZeros(inScale(v, s)) + s.label;
}

/** bytes prints a size of memory or of a file. */
export function bytes(v: number): string {
  return quantity(v, "bytes");
}

/** trimZeros drops zeros behind the point: for values that stand alone. */
function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** scaleTitle is the unit of a scale behind the title of a column: ", MB". */
export function scaleTitle(s: Scale): string {
  return s.label ? `, ${s.label.trim()}` : "";
}

/** withUnit prints a value in a scale with the unit. */
export function withUnit(v: number, s: Scale): string {
  return inScale(v, s) + s.label;
}

/** share prints a part of a whole: "46.2%". */
export function share(part: number, total: number): string {
  if (!total) return "–";
  const p = (part / total) * 100;
  const a = Math.abs(p);
  const sign = p < 0 ? "−" : "";
  if (a === 0) return "0%";
  if (a < 0.01) return sign + "<0.01%";
  if (a >= 99.95) return sign + group(a, 0) + "%";
  return sign + a.toFixed(a < 1 ? 2 : 1) + "%";
}

/** delta prints a change with its mark: "▲ 28.3 MB", "▼ 0.8 MB", "± 0". */
export function delta(d: number, unit: string, scale?: Scale): string {
  if (d === 0) return "± 0";
  const s = scale ?? scaleFor(d, unit);
  const text = inScale(Math.abs(d), s);
  return `${d > 0 ? "▲" : "▼"} ${scale ? text : trimZeros(text)}${s.label}`;
}

/** times prints a ratio when it is worth saying, over two or under a half: "×3.3". "new" and "gone" are words. */
export function ratio(base: number, current: number): string {
  if (base === 0) return current === 0 ? "" : "new";
  if (current === 0) return "gone";
  const r = current / base;
  if (r < 0) return "";
  if (r >= 2) return "×" + (r >= 100 ? group(r, 0) : r >= 10 ? r.toFixed(0) : r.toFixed(1));
  if (r <= 0.5) return "×" + (r < 0.01 ? "<0.01" : r.toFixed(2));
  return "";
}

/** integer prints a count with all digits. */
export function integer(n: number): string {
  return group(n, 0);
}

/** plural prints a count with its word. */
export function plural(n: number, one: string, many = one + "s"): string {
  return `${integer(n)} ${n === 1 ? one : many}`;
}

/** clock prints a moment: the time of day, with the date when the moments span days, with milliseconds when others are in the same second. */
export function clock(ms: number, others: readonly number[] = []): string {
  if (!ms) return "";
  const d = new Date(ms);
  const second = (t: number) => Math.floor(t / 1000);
  const close = others.some((t) => t !== ms && second(t) === second(ms));
  const time = d.toLocaleTimeString("en-GB", { hour12: false }) + (close ? "." + String(ms % 1000).padStart(3, "0") : "");
  const day = (t: number) => new Date(t).toDateString();
  if (others.every((t) => !t || day(t) === day(ms))) return time;
  return `${d.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}`;
}

/** ago prints how long a moment is past. */
export function ago(ms: number, now: number): string {
  const s = Math.max(0, (now - ms) / 1000);
  if (s < 60) return "just now";
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return plural(Math.floor(s / 86400), "day") + " ago";
}

/** span prints a duration of milliseconds: "7 s", "2 h 5 min". */
export function span(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 1) return `${Math.round(ms)} ms`;
  if (s < 120) return `${s} s`;
  const m = Math.round(s / 60);
  if (m < 120) return `${m} min`;
  const h = Math.floor(m / 60);
  return h < 48 ? `${h} h ${m % 60} min`.replace(" 0 min", "") : `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** splitName cuts a Go name into its package with the dot, and the rest: "net/http." and "(*conn).serve". */
export function splitName(name: string): [string, string] {
  const bracket = name.indexOf("[");
  const head = bracket < 0 ? name : name.slice(0, bracket);
  const slash = head.lastIndexOf("/");
  const dot = head.indexOf(".", slash + 1);
  if (dot < 0 || head.includes("::") || head.includes(" ")) return ["", name];
  return [name.slice(0, dot + 1), name.slice(dot + 1)];
}

/** shortName is the last part of the package and the rest: "http.(*conn).serve". */
export function shortName(name: string): string {
  const [pkg, rest] = splitName(name);
  return pkg.slice(pkg.lastIndexOf("/") + 1) + rest;
}

/** visible shows characters that would turn text around or hide it, for canvas and titles where CSS cannot isolate. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "\u00b7");
}

/** place prints a file and line short: "main.go:63". */
export function place(file: string | undefined, line?: number): string {
  if (!file) return "";
  const base = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  return line ? `${base}:${line}` : base;
}

/** sentence begins with a capital and ends with a full stop. */
export function sentence(text: string): string {
  const t = text.trim();
  return t ? (t.includes(" ") && !/^\S*[./(]/.test(t) ? t[0]!.toUpperCase() + t.slice(1) : t) + (/[.!?]$/.test(t) ? "" : ".") : "Something went wrong.";
}
