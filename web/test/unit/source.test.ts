import test from "node:test";
import assert from "node:assert/strict";
import { lineSum, sourceRows } from "../../src/source/Code.tsx";
import type { Source } from "../../src/source/types.ts";

test("a line that several functions have shows the sum the server counted once a stack", () => {
  const s = {
    text: [], first: 1, functions: [{ name: "main.main" }, { name: "main.main.func1" }],
    lines: [{ line: 7, function: 0, flat: 10, cum: 60 }, { line: 7, function: 1, flat: 20, cum: 70 }, { line: 9, function: 1, flat: 1, cum: 2 }],
    sums: [{ line: 7, flat: 30, cum: 80 }],
  } as unknown as Source;
  assert.deepEqual(sourceRows(s).map((r) => [r.line, r.sum.flat, r.sum.cum]), [[7, 30, 80], [9, 1, 2]]);
  assert.deepEqual([lineSum(s, 7).cum, lineSum(s, 9).cum, lineSum(s, 8).cum], [80, 2, 0]);
});
