// What Summary and Leaks share: the shapes of findings, the word of a
// judgement with its mark, evidence, and the curve of a series.

import { useId } from "preact/hooks";
import { clock, quantity, scaleFor, inScale, sentence } from "../format.ts";
import { Chip, ink } from "../parts/index.ts";
import { copy } from "../shell.ts";

export type Maybe = number | null;
export interface Estimate {
  value: Maybe;
  low: Maybe;
  high: Maybe;
}
export interface Call {
  name: string;
  file?: string;
  line?: number;
  category: number;
}
export interface Clause {
  level: string;
  text: string;
}
export interface Finding {
  index: number;
  class: string;
  resource: string;
  sentence: string;
  subject: string;
  evidence: Clause[];
  confidence: string;
  confidenceWhy: string;
  blame?: Call;
  path: Call[];
  origin?: Call[];
  below?: { path: Call[]; share: number }[];
  unit: string;
  before: Estimate;
  after: Estimate;
  slope: Estimate;
  cause: number;
  times: number[];
  values: Maybe[];
  errors: Maybe[];
}

/** A judgement: its mark, what it means, its tone, and its word where that is not its name. */
interface Judgement {
  mark: string;
  help: string;
  tone?: "grow" | "bad" | "shrink";
  word?: string;
}

const judgements: Readonly<Record<string, Judgement>> = {
  leak: { mark: "▲", tone: "bad", help: "Grows without end, by a test that is seldom wrong" },
  growing: { mark: "▲", tone: "grow", help: "Grows, but it is too early to call it a leak" },
  more: { mark: "▲", tone: "grow", help: "More than in the base, by more than the error of sampling; no judgement of growth" },
  part: { mark: "↳", help: "The function is on the path of that finding" },
  filling: { mark: "◔", help: "Grows towards a plateau" },
  step: { mark: "┘", help: "Jumped once and stayed" },
  load: { mark: "≈", help: "Grows with the load" },
  churn: { mark: "◌", help: "Much is allocated and nothing kept" },
  steady: { mark: "▬", help: "Does not grow" },
  noise: { mark: "▬", help: "The change is not larger than the error of sampling", word: "within noise" },
  waves: { mark: "◌", help: "Goes down about as much as up: no growth", word: "up and down" },
  shrinking: { mark: "▼", tone: "shrink", help: "Goes down" },
  less: { mark: "▼", tone: "shrink", help: "Less than in the base" },
  unknown: { mark: "?", help: "Too little was seen", word: "too early" },
};

const judgement = (is: string): Partial<Judgement> => judgements[is] ?? {};

/** Word is the judgement: its mark and word, never colour alone. */
export function Word({ is, of = -1 }: { is: string; of?: number }) {
  const { mark = "?", help, tone, word = is } = judgement(is);
  return (
    <Chip tone={tone} tip={help}>
      {mark} {is === "part" ? `part of ${of + 1}` : word}
    </Chip>
  );
}

/** verdictWords is a judgement of the whole: "▲ Leak". */
export function verdictWords(is: string): string {
  const word = is === "leak" ? "Leak" : is === "growing" ? "Growing" : is === "unknown" ? "No verdict yet" : "No leak";
  return `${judgement(is).mark ?? "?"} ${word}`;
}

/** rateText is a slope: "+4.0 MB/s", and its interval. */
export function rateText(e: Estimate, unit: string): [string, string] {
  if (e.value === null) return ["–", ""];
  const s = scaleFor(e.value, unit);
  const sign = e.value > 0 ? "+" : "";
  const number = (v: number) => inScale(v, { ...s, decimals: Math.abs(e.value ?? 0) >= 100 * s.factor ? 0 : 2 });
  return [`${sign}${number(e.value)}${s.label}/s`, e.low === null || e.high === null ? "" : `${number(e.low)} – ${number(e.high)}`];
}

export function Evidence({ list }: { list: readonly Clause[] }) {
  return (
    <dl class="evidence">
      {list.map((c, i) => (
        <div key={i}>
          <dt class={`level ${c.level}`}>{c.level}</dt>
          <dd>{sentence(c.text)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Command is a line to copy. */
export function Command({ text }: { text: string }) {
  return (
    <button class="command" data-tip="Copy" onClick={() => void copy(text, "Command")}>
      <code>{text}</code>
    </button>
  );
}

/** Curve draws a series over its times, from zero, with the band of its error. */
export function Curve({ times, values, errors, unit, tone = "accent", width = 300, height = 84, label }: { times: readonly number[]; values: readonly Maybe[]; errors?: readonly Maybe[]; unit: string; tone?: string; width?: number; height?: number; label: string }) {
  const id = useId();
  const known = values.flatMap((v, i) => (v === null ? [] : [i]));
  if (known.length < 2) return null;
  const error = (i: number) => 1.96 * (errors?.[i] ?? 0);
  const top = Math.max(...known.map((i) => (values[i] as number) + error(i))) || 1;
  const t0 = times[known[0] as number] as number;
  const range = (times[known.at(-1) as number] as number) - t0;
  const x = (i: number) => 4 + (width - 8) * (range > 0 ? ((times[i] as number) - t0) / range : known.indexOf(i) / (known.length - 1));
  const y = (v: number) => height - 2 - (Math.max(0, v) / top) * (height - 8);
  const at = (i: number, v: number) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`;
  const line = known.map((i) => at(i, values[i] as number));
  const band = errors?.some(Boolean) ? [...known.map((i) => at(i, (values[i] as number) + error(i))), ...known.map((i) => at(i, (values[i] as number) - error(i))).reverse()] : null;
  const first = values[known[0] as number] as number;
  const last = values[known.at(-1) as number] as number;
  return (
    <figure class="curve" style={ink(tone)}>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${label}: from ${quantity(first, unit)} to ${quantity(last, unit)} over ${known.length} profiles`}>
        <defs>
          <linearGradient id={id} x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" stop-color="currentColor" stop-opacity="0.35" />
            <stop offset="1" stop-color="currentColor" stop-opacity="0.02" />
          </linearGradient>
        </defs>
        <polygon points={`${x(known[0] as number)},${height} ${line.join(" ")} ${x(known.at(-1) as number)},${height}`} fill={`url(#${id})`} />
        {band && <polygon points={band.join(" ")} class="band" />}
        <polyline points={line.join(" ")} />
        {known.length <= 12 && known.map((i) => <circle key={i} cx={x(i)} cy={y(values[i] as number)} r={3.5} />)}
      </svg>
      {t0 > 0 && (
        <figcaption class="label num">
          <span>{clock(t0, times)}</span>
          <span>{clock(times[known.at(-1) as number] as number, times)}</span>
        </figcaption>
      )}
    </figure>
  );
}
