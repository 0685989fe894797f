// The shapes of the answers about sources; internal/web/source.go, hot.go and
// assembly.go write them.

import type { Head } from "../types.ts";

export interface Values {
  flat: number;
  cum: number;
  flatBase?: number;
  cumBase?: number;
}

export interface LineCall {
  name: string;
  category: number;
  inline?: boolean;
  value: number;
  base?: number;
}

export interface LineValues extends Values {
  line: number;
  /** Index in Source.functions. */
  function: number;
  calls?: LineCall[];
  more?: number;
}

export interface LineSum extends Values {
  line: number;
}

export interface SourceFunction extends Values {
  name: string;
  first: number;
  last: number;
}

/** Why there is no source or no code. */
export interface Missing {
  text: string;
  tried: string[];
  hint: string;
}

export interface Source extends Head, Values {
  file: string;
  path?: string;
  how?: string;
  function?: string;
  line: number;
  category: number;
  note?: string;
  text: string[];
  /** Begin, end and kind of what is coloured, by line. */
  marks?: number[][];
  first: number;
  count: number;
  lines: LineValues[];
  /** Of lines that several functions have: what went through more than one counts once. */
  sums?: LineSum[];
  functions: SourceFunction[];
  missing?: Missing;
  /** Why the text is not what the profile is of. */
  stale?: Missing;
}

export interface HotPlace extends Values {
  name?: string;
  file?: string;
  line?: number;
  category: number;
}

export interface Hot extends Head {
  lines: HotPlace[];
  functions: HotPlace[];
  files: HotPlace[];
  more: [number, number, number];
}

export interface Instruction extends Values {
  addr: string;
  text: string;
  line: number;
  calls?: string[];
  gap?: boolean;
}

export interface Assembly extends Head {
  function: string;
  file: string;
  symbols: { name: string; flat: number; instructions: Instruction[] }[];
  more?: number;
  missing?: Missing;
}
