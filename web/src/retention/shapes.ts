// The shapes of what the server says of a heap: internal/web/retention*.go,
// without.go.

export interface Memory {
  bytes: number;
  objects: number;
}

export interface Step {
  label?: string;
  name: string;
  kind?: string;
  category: number;
  repeated?: boolean;
  keeps?: number;
  objects?: number;
  without?: string;
}

export interface Site {
  function: string;
  place: string;
  type?: string;
  bytes: number;
  objects: number;
  samples: number;
  /** Bytes in the earlier heap. */
  before?: number;
}

export interface Way extends Memory {
  sentence: string;
  type?: string;
  site?: Site;
  path: Step[];
  below?: boolean;
  estimated?: boolean;
  cut: number;
  frees: Memory;
  also?: Step[];
  both?: Memory;
  stacks?: number;
  sites?: Site[];
  address?: string;
}

export interface Tile extends Memory {
  id: number;
  name: string;
  type?: string;
  rest?: boolean;
  category: number;
  without?: string;
}

export interface Row {
  id: number;
  name: string;
  label?: string;
  kind?: string;
  category: number;
  objects: number;
  own: number;
  keeps: number;
  /** What the main column had in the earlier heap. */
  before?: number;
  repeated?: boolean;
  children?: number;
  without?: string;
  address?: string;
  type?: string;
  way?: Way;
  rows?: Row[];
}

/** What the rows of a table have: the words are the server's. */
export interface RowTable {
  title: string;
  columns: { id: "name" | "objects" | "own" | "keeps" | "before" | "change"; title: string; help?: string }[];
  main: "own" | "keeps";
  /** What shares are parts of. */
  of: number;
  /** The order of rows that do not open. */
  sort?: string;
  hint: string;
}

export interface HeapObject {
  address: string;
  type: string;
  size: number;
  retained: Memory;
  allPaths: boolean;
  holders: Row[];
  holds: Row[];
}

export interface Retention {
  by: string;
  start?: Memory & { words: string; estimated?: boolean; retained?: Memory };
  miss?: string;
  sentence: string;
  total: Memory;
  goroutines: number;
  taken?: number;
  ways?: Way[];
  tiles?: Tile[];
  table?: RowTable;
  rows?: Row[];
  more?: number;
  moreBytes?: number;
  object?: HeapObject;
  notes: string[];
}

export interface WhatIf {
  name: string;
  variables: number;
  references: number;
  frees: Memory;
  of: Memory;
  stacks?: number;
  types: Row[];
  sites: Site[];
  moreTypes?: number;
  moreSites?: number;
  report: string;
}
