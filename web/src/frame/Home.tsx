// The start page: open a file, an address or a process; what is open already.

import { useEffect, useState } from "preact/hooks";
import { again, explain, open, reopen, upload, useLoad } from "../api.ts";
import { ago, plural } from "../format.ts";
import { Button, Card, Note } from "../parts/index.ts";
import { toast } from "../shell.ts";
import { navigate } from "../state.ts";
import type { Home as HomeData, Recent } from "../types.ts";

/** show opens a session in its first view. */
function show(session: string): void {
  navigate({ session, view: "", keys: {}, x: [] });
}

async function attempt(what: Promise<{ session: string }>): Promise<string> {
  try {
    const { session } = await what;
    show(session);
    again(); // the start page has one more; what is shown may be open again
    return "";
  } catch (e) {
    return explain(e);
  }
}

export function Home() {
  const load = useLoad<HomeData>("/api/home");
  const [source, setSource] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const run = async (what: Promise<{ session: string }>) => {
    setBusy(true);
    setError("");
    setError(await attempt(what));
    setBusy(false);
  };
  const recent = load.data?.recent ?? [];
  const now = recent.filter((r) => r.open !== false);
  const before = recent.filter((r) => r.open === false && r.sources?.length);
  return (
    <div class="view home">
      <h1>What do you want to look at?</h1>
      <Card label="Open">
        <form
          class="open"
          onSubmit={(e) => {
            e.preventDefault();
            if (source.trim()) void run(open(source.trim()));
          }}
        >
          <label class="sr" for="source">
            File, address or process
          </label>
          <input id="source" class="field" value={source} placeholder="heap.pb.gz, localhost:6060, or a process id" spellcheck={false} autocomplete="off" onInput={(e) => setSource(e.currentTarget.value)} />
          <Button main submit onClick={() => undefined} disabled={busy}>
            {busy ? "Reading…" : "Open"}
          </Button>
        </form>
        {error && (
          <p class="bad" role="alert">
            {error}
          </p>
        )}
        <label class="drop">
          <input type="file" class="sr" onChange={(e) => e.currentTarget.files?.[0] && void run(upload(e.currentTarget.files[0]))} />
          <b>Choose a file</b> or drop one anywhere on the page: profiles of pprof, perf, snapshots of a heap
        </label>
      </Card>
      {load.error && !load.error.gone && load.error.status !== 404 && <Note>{load.error.message}</Note>}
      <Sessions title="Open now" list={now} run={(r) => show(r.session)} />
      <Sessions title="Opened before" list={before} run={(r) => void run(reopen(r.session))} />
    </div>
  );
}

/** Sessions lists sessions; a click shows one, or reads its sources again. */
function Sessions({ title, list, run }: { title: string; list: readonly Recent[]; run: (r: Recent) => void }) {
  if (!list.length) return null;
  return (
    <Card title={title}>
      <ul class="recent">
        {list.map((r) => (
          <li key={r.session}>
            <a
              href={`/v1/${r.session}/`}
              title={r.sources?.join("\n")}
              onClick={(e) => {
                e.preventDefault();
                run(r);
              }}
            >
              <bdi>{r.title}</bdi>
            </a>
            <span class="label">{[r.kinds?.join(", "), r.shots ? plural(r.shots, "profile") : "", r.time ? ago(r.time, Date.now()) : ""].filter(Boolean).join(" · ")}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** useDrop opens a file that is dropped anywhere. */
export function useDrop(): void {
  useEffect(() => {
    const over = (e: DragEvent) => {
      if (e.dataTransfer?.types.includes("Files")) e.preventDefault();
    };
    const drop = (e: DragEvent) => {
      const file = e.dataTransfer?.files[0];
      if (!file) return;
      e.preventDefault();
      toast(`Reading ${file.name}…`);
      void attempt(upload(file)).then((error) => error && toast(error, { bad: true }));
    };
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
    };
  }, []);
}
