// Builds the page into dist/. The bytes depend on the sources and the locked
// packages only, so that a rebuild can be compared with what is committed.
//
//   node build.mjs            build
//   node build.mjs --check    build in memory, fail unless dist/ is the same and within its budget
//   node build.mjs --watch    build again when something changes

import { build, context } from "esbuild";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const modules = join(here, "node_modules");

// The budget, in bytes before compression.
const budget = { "app.js": 250_000, "app.css": 30_000 };

// Ways to draw a series that the page has no use for. uPlot hangs them on an
// object, so that esbuild cannot see that nobody asks for them.
const unusedCurves = ["stepped", "bars", "spline"];
const leaveOutCurves = {
  name: "leave out curves",
  setup: (b) =>
    b.onLoad({ filter: /uPlot\.esm\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, "utf8");
      for (const name of unusedCurves) {
        const line = new RegExp(`^\\s*\\(paths\\.${name} .*\\n`, "m");
        if (!line.test(contents)) throw new Error(`${path} does not name the curve ${name} as it did: see unusedCurves in build.mjs`);
        contents = contents.replace(line, "");
      }
      return { contents };
    }),
};

const options = {
  entryPoints: { app: join(here, "src/app.tsx") },
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: false,
  metafile: true,
  write: false,
  outdir: dist,
  charset: "utf8",
  inject: [join(here, "src/jsx.ts")],
  tsconfigRaw: { compilerOptions: { strict: true, jsx: "react", jsxFactory: "_jsx", jsxFragmentFactory: "_Fragment" } },
  legalComments: "none",
  logLevel: "warning",
  plugins: [leaveOutCurves],
  define: { "process.env.NODE_ENV": '"production"' },
};

/** fontsOf are the fonts that are copied: Latin, all weights in one file. */
const fonts = {
  "fonts/inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "fonts/jetbrains-mono.woff2": "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
};

/** collect is every file of dist by name. */
async function collect(result) {
  const files = new Map();
  for (const f of result.outputFiles) files.set(relative(dist, f.path), Buffer.from(f.contents));
  const css = await build({ ...options, inject: [], entryPoints: { app: join(here, "src/app.css") }, external: ["/fonts/*"] });
  for (const f of css.outputFiles) files.set(relative(dist, f.path), Buffer.from(f.contents));
  for (const name of ["index.html", "icon.svg"]) files.set(name, readFileSync(join(here, "src", name)));
  const theme = await build({ ...options, inject: [], entryPoints: { theme: join(here, "src/theme.js") }, format: "iife" });
  for (const f of theme.outputFiles) files.set(relative(dist, f.path), Buffer.from(f.contents));
  for (const [to, from] of Object.entries(fonts)) files.set(to, readFileSync(join(modules, from)));
  files.set("NOTICES.txt", Buffer.from(notices(result.metafile, css.metafile)));
  return files;
}

/** notices are the licences of every package that is in the page. */
function notices(...metas) {
  const names = new Set(Object.values(fonts).map(packageOf));
  for (const m of metas) {
    for (const input of Object.keys(m.inputs)) {
      const at = input.lastIndexOf("node_modules/");
      if (at >= 0) names.add(packageOf(input.slice(at + "node_modules/".length)));
    }
  }
  const parts = [...names].sort().map((name) => {
    const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
    const file = readdirSync(join(modules, name)).find((f) => /^licen[cs]e/i.test(f));
    if (!file) throw new Error(`${name} has no licence file`);
    const text = readFileSync(join(modules, name, file), "utf8").replaceAll("\r\n", "\n").trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return "The page of Profound contains the following packages.\n\n" + parts.join(`\n${"-".repeat(72)}\n\n`);
}

function packageOf(path) {
  const [a, b] = path.split("/");
  return a.startsWith("@") ? `${a}/${b}` : a;
}

/** over prints the sizes and gives the names of what is over its budget. */
function over(files) {
  const bad = [];
  for (const [name, bytes] of [...files].sort()) {
    const limit = budget[name];
    const kb = (n) => (n / 1000).toFixed(1).padStart(6) + " kB";
    const much = limit && bytes.length > limit;
    if (much) bad.push(name);
    console.log(`${name.padEnd(28)}${kb(bytes.length)}  ${kb(gzipSync(bytes).length)} gzip${limit ? `  of ${kb(limit)}${much ? "  OVER BUDGET" : ""}` : ""}`);
  }
  return bad;
}

function write(files) {
  rmSync(dist, { recursive: true, force: true });
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(dist, name), bytes);
  }
}

/** differences lists the files of dist that are not as built. */
function differences(files) {
  const there = existsSync(dist) ? readdirSync(dist, { recursive: true }).filter((f) => statSync(join(dist, f)).isFile()) : [];
  const list = there.filter((f) => !files.has(f)).map((f) => `dist/${f} is not built any more`);
  for (const [name, bytes] of files) {
    if (!there.includes(name)) list.push(`dist/${name} is missing`);
    else if (!readFileSync(join(dist, name)).equals(bytes)) list.push(`dist/${name} differs`);
  }
  return list;
}

if (process.argv.includes("--watch")) {
  const again = {
    name: "dist",
    setup: (b) => b.onEnd(async (r) => r.errors.length || (write(await collect(r)), console.log("built"))),
  };
  const c = await context({ ...options, plugins: [...options.plugins, again] });
  await c.watch();
} else {
  const files = await collect(await build(options));
  const bad = over(files);
  if (process.argv.includes("--check")) {
    const list = differences(files);
    for (const d of list) console.error(d);
    if (list.length) console.error("dist/ is not what the sources give: run node build.mjs and commit it");
    for (const name of bad) console.error(`${name} has ${files.get(name).length} bytes, more than its budget of ${budget[name]}: say the same with less (README.md)`);
    if (list.length || bad.length) process.exit(1);
  } else {
    write(files);
  }
}
