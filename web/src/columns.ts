// The decoder of column answers, docs/formats/columns.md: a magic, the length
// of a JSON header, the header, then little-endian columns, each 8-byte
// aligned, at offsets counted from the end of the header.
// Columns are views of the answer's bytes; nothing is copied.

export const mediaType = "application/vnd.profound.columns";
const magic = "PFCOLS1\n";

/** The column types with the bytes of one value. "str" is a column of its own kind: see Columns.strings. */
const kinds = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array } as const;
type Kind = keyof typeof kinds;
export type NumberColumn = InstanceType<(typeof kinds)[Kind]>;

interface ColumnHeader {
  name: string;
  type: Kind | "str";
  length: number;
  /** From where the data begins, behind the header. */
  offset: number;
  /** Bytes of the text of a str column. */
  bytes?: number;
}

interface Header<M> {
  schema: string;
  meta: M;
  columns: ColumnHeader[];
}

/** A decoded answer. */
export class Columns<M = unknown> {
  private readonly texts = new Map<string, string[]>();
  constructor(
    readonly schema: string,
    readonly meta: M,
    readonly bytes: number,
    private readonly numbers: ReadonlyMap<string, NumberColumn>,
    private readonly encoded: ReadonlyMap<string, () => string[]>,
  ) {}

  has(name: string): boolean {
    return this.numbers.has(name) || this.encoded.has(name);
  }

  /** number is a column of numbers; it fails when the answer has none of that name. */
  number(name: string): NumberColumn {
    const c = this.numbers.get(name);
    if (!c) throw new Error(`the answer ${this.schema} has no column ${name}`);
    return c;
  }

  /** maybe is a column of numbers or null. */
  maybe(name: string): NumberColumn | null {
    return this.numbers.get(name) ?? null;
  }

  /** strings is a column of texts, decoded when first asked for. */
  strings(name: string): string[] {
    let t = this.texts.get(name);
    if (!t) {
      const make = this.encoded.get(name);
      if (!make) throw new Error(`the answer ${this.schema} has no texts ${name}`);
      t = make();
      this.texts.set(name, t);
    }
    return t;
  }
}

/** decodeColumns reads an answer. Errors say which part is wrong. */
export function decodeColumns<M>(buffer: ArrayBuffer): Columns<M> {
  const bytes = new Uint8Array(buffer);
  const text = new TextDecoder();
  if (bytes.length < 12 || text.decode(bytes.subarray(0, 8)) !== magic) throw new Error("the answer is not in the columns format");
  const view = new DataView(buffer);
  const length = view.getUint32(8, true);
  if (12 + length > bytes.length) throw new Error("the header of the answer is cut off");
  const header = JSON.parse(text.decode(bytes.subarray(12, 12 + length))) as Header<M>;
  const data = 12 + length;
  if (data % 8 !== 0) throw new Error("the columns of the answer are not aligned");
  const numbers = new Map<string, NumberColumn>();
  const encoded = new Map<string, () => string[]>();
  for (const c of header.columns) {
    const at = data + c.offset;
    if (c.type === "str") {
      const offsets = column(buffer, at, "u32", c.length + 1, c.name) as Uint32Array;
      const start = at + align8(4 * (c.length + 1));
      const end = start + (c.bytes ?? offsets[c.length] ?? 0);
      if (end > bytes.length) throw new Error(`the texts ${c.name} are cut off`);
      encoded.set(c.name, () => decodeStrings(bytes.subarray(start, end), offsets, text));
      continue;
    }
    if (!(c.type in kinds)) throw new Error(`the column ${c.name} has an unknown type ${c.type}`);
    numbers.set(c.name, column(buffer, at, c.type, c.length, c.name));
  }
  return new Columns(header.schema, header.meta, bytes.length, numbers, encoded);
}

function align8(n: number): number {
  return Math.ceil(n / 8) * 8;
}

function column(buffer: ArrayBuffer, at: number, kind: Kind, length: number, name: string): NumberColumn {
  const Type = kinds[kind];
  if (at % 8 !== 0) throw new Error(`the column ${name} is not aligned`);
  if (at < 0 || length < 0 || at + length * Type.BYTES_PER_ELEMENT > buffer.byteLength) throw new Error(`the column ${name} is cut off`);
  return new Type(buffer, at, length);
}

/** decodeStrings cuts texts out of one decoded string where all is ASCII, which is much faster. */
function decodeStrings(bytes: Uint8Array, offsets: Uint32Array, text: TextDecoder): string[] {
  const n = offsets.length - 1;
  const out = new Array<string>(n);
  const all = text.decode(bytes);
  const ascii = all.length === bytes.length;
  for (let i = 0; i < n; i++) {
    const from = offsets[i] as number;
    const to = offsets[i + 1] as number;
    out[i] = ascii ? all.slice(from, to) : text.decode(bytes.subarray(from, to));
  }
  return out;
}
