// The shapes of the server's answers. internal/web writes them; all values
// are in base units: bytes, nanoseconds, plain counts.

/** One sample type of a kind of profile. */
export interface ValueType {
  name: string;
  unit: string;
  title?: string;
}

/** A kind of profile the session has, with what it shows when the URL says nothing. */
export interface Kind {
  kind: string;
  title: string;
  values: ValueType[];
  value: string;
  /** Why this value is the default: one sentence. */
  why?: string;
  cur: string;
  base?: string;
}

/** One profile of the session. */
export interface Shot {
  id: string;
  name: string;
  kind: string;
  /** Unix milliseconds, 0 when unknown. */
  time: number;
  bytes: number;
  samples?: number;
}

/** What is loaded. */
export interface Session {
  id: string;
  title: string;
  sources?: string[];
  headline?: string;
  warnings?: string[];
  kinds: Kind[];
  kind: string;
  shots: Shot[];
  views: string[];
  badges?: Record<string, number>;
  heap?: boolean;
  /** Regular expression of the program's own packages, for "my code only". */
  own?: string;
  /** Link template of an editor with {file} and {line}. */
  editor?: string;
}

/** What every answer about samples begins with. */
export interface Head {
  kind: string;
  value: string;
  unit: string;
  /** Ids of the profiles that were added up. */
  cur: string[];
  base?: string[];
  /** All that was sampled, and what the transforms leave of it. */
  total: number;
  shown: number;
  baseTotal?: number;
  baseShown?: number;
  durationNanos?: number;
  granularity: string;
  filters: string[];
  warnings: string[];
  /** What the server left out. */
  dropped?: { nodes: number; weight: number };
}

/** Whose code a function is, in the order of the server's numbers. */
export const categories = ["none", "own", "dep", "std", "cgo", "runtime"] as const;
export type Category = (typeof categories)[number];
export const categoryWords: Record<Category, string> = {
  none: "all",
  own: "your code",
  dep: "dependency",
  std: "standard library",
  cgo: "C and other",
  runtime: "runtime",
};

/** Shorter, for legends. */
export const shortCategoryWords: Record<Category, string> = { ...categoryWords, std: "std", cgo: "C, other" };

/** A caller or callee with what goes through it. */
export interface Neighbour {
  name: string;
  /** How it is selected, where that is not its name. */
  entry?: string;
  category: number;
  value: number;
  base?: number;
}

/** A source line with its values. */
export interface SourceLine {
  file?: string;
  line: number;
  text: string;
  /** Begin, end and kind of what is coloured. */
  marks?: number[];
  flat: number;
  cum: number;
  flatBase?: number;
  cumBase?: number;
}

/** Everything the inspector says of one function. */
export interface FunctionInfo extends Head {
  name: string;
  package?: string;
  category: number;
  file?: string;
  line?: number;
  flat: number;
  cum: number;
  flatBase?: number;
  cumBase?: number;
  others?: { value: string; unit: string; flat: number; cum: number; flatBase?: number; cumBase?: number }[];
  trend?: { shots: string[]; times: number[]; flat: number[]; cum: number[] };
  callers: Neighbour[];
  callees: Neighbour[];
  moreCallers?: number;
  moreCallees?: number;
  lines?: SourceLine[];
  source?: string;
  sourceMissing?: string;
}

/** A session opened before. */
export interface Recent {
  session: string;
  title: string;
  kinds?: string[];
  shots?: number;
  time?: number;
  /** What to open to have it again. */
  sources?: string[];
  /** It need not be opened again. */
  open?: boolean;
}

export interface Home {
  recent: Recent[];
  canOpen?: boolean;
  canUpload?: boolean;
}
