// A run of the demo, as a person would make it, with a snapshot of the heap of
// its service where the system lets one be taken. Made once for all tests.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** demoRun runs the demo and gives what to open: its folder, and a snapshot. */
export async function demoRun(exe, seconds = 12) {
  const dir = mkdtempSync(join(tmpdir(), "profound-demo-"));
  const run = join(dir, "run");
  const heap = join(dir, "heap.snapshot");
  const child = spawn(exe, ["demo", "-plain", `-for=${seconds}s`, "-save", run], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (d) => (said += d));
  child.stderr.on("data", (d) => (said += d));
  const end = new Promise((resolve) => child.on("exit", resolve));
  const looks = () => (existsSync(run) ? readdirSync(run).filter((f) => f.startsWith("heap-")).length : 0);
  while (looks() < seconds / 2 && child.exitCode === null) await new Promise((r) => setTimeout(r, 100));
  const pid = childOf(child.pid);
  if (pid) spawnSync(exe, ["snapshot", "-o", heap, String(pid)], { timeout: 60_000 });
  const code = await end;
  if (looks() < 3) throw new Error(`the demo ended (${code}): ${said}`);
  return existsSync(heap) ? [run, heap] : [run];
}

/** childOf is the first process a process has started, 0 where that cannot be known. */
function childOf(pid) {
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const list = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean);
      if (list.length) return Number(list[0]);
    }
  } catch {
    // No /proc: no snapshot.
  }
  return 0;
}
