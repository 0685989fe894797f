import test from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeColumns } from "../../src/columns.ts";

const folder = join(import.meta.dirname, "../../internal/web/testdata");
const bytes = (file: string) => {
  const b = readFileSync(join(folder, file));
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength) as ArrayBuffer;
};

test("the server's golden file", { skip: !existsSync(join(folder, "columns.pfcols")) }, () => {
  const want = JSON.parse(readFileSync(join(folder, "columns.json"), "utf8")) as { schema: string; meta: unknown; columns: Record<string, (number | string)[]> };
  const c = decodeColumns(bytes("columns.pfcols"));
  assert.equal(c.schema, want.schema);
  assert.deepEqual(c.meta, want.meta);
  for (const [name, values] of Object.entries(want.columns)) {
    const got = values.some((v) => typeof v === "string") || !isNumbers(c, name) ? c.strings(name) : Array.from(c.number(name));
    assert.deepEqual(got, values, name);
  }
});

function isNumbers(c: ReturnType<typeof decodeColumns>, name: string): boolean {
  return c.maybe(name) !== null;
}

test("damaged answers are errors, never wrong numbers", () => {
  const good = new Uint8Array(bytes("columns.pfcols"));
  assert.throws(() => decodeColumns(new ArrayBuffer(0)), /not in the columns format/);
  assert.throws(() => decodeColumns(new TextEncoder().encode("<!doctype html><p>").buffer as ArrayBuffer), /not in the columns format/);
  for (let cut = 0; cut < good.length; cut += 3) {
    let decoded;
    try {
      decoded = decodeColumns(good.slice(0, cut).buffer);
    } catch (e) {
      assert.ok((e as Error).message.length > 0);
      continue;
    }
    assert.ok(cut > good.length - 8, `cut at ${cut} was read`); // only padding was lost
    assert.ok(decoded.schema);
  }
});
