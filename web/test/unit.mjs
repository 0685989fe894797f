// Runs the unit tests: each *.test.ts is bundled, then node's own runner takes it.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), "profound-unit-"));
const tests = readdirSync(join(here, "unit")).filter((f) => f.endsWith(".test.ts"));
await build({ entryPoints: tests.map((f) => join(here, "unit", f)), outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, format: "esm", platform: "node", target: "node20", jsx: "automatic", jsxImportSource: "preact", logLevel: "warning", sourcemap: "inline", define: { "import.meta.dirname": JSON.stringify(here) } });
const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...tests.map((f) => join(out, f.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
rmSync(out, { recursive: true, force: true });
process.exit(run.status ?? 1);
