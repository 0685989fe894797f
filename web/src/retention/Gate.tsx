// What stands in place of the heap while there is none: how to get one, what
// copying it will do, how far it is.

import type { Failure } from "../api.ts";
import { plural, sentence } from "../format.ts";
import { Button, Empty, Skeleton } from "../parts/index.ts";
import type { Session } from "../types.ts";
import type { HeapState } from "./heap.ts";
import { shellWord } from "./WhatIf.tsx";

/** NoHeap says how to get one. */
export function NoHeap({ session }: { session: Session }) {
  const sources = (session.sources ?? []).map(shellWord).join(" ");
  return (
    <Empty title="Profiles do not say who keeps memory alive" command={`profound web ${sources} PID\n\nprofound snapshot PID\nprofound web ${sources} PID.snapshot`}>
      They say where memory was allocated. Which references hold it, a look into the process tells: name it with the profiles, by its number, or copy its memory to a file first.
    </Empty>
  );
}

/** NoEarlier says how to get a heap to compare with. */
export function NoEarlier({ session }: { session: Session }) {
  const sources = (session.sources ?? []).map(shellWord).join(" ");
  return (
    <Empty title="What grows is seen beside an earlier heap" command={`profound snapshot -o before.snapshot PID\n\nprofound web before.snapshot ${sources}`}>
      Copy the memory of the program early, and open that file beside what is open here, or beside a later copy. Then this names the paths that hold more, and the tables have a column with the change.
    </Empty>
  );
}

/** Gate is shown until the heap is read. */
export function Gate({ heap, error, read }: { heap: HeapState | null; error: Failure | null; read: () => void }) {
  if (error)
    return (
      <Empty title={sentence(error.message)} actions={<Button onClick={read}>Try again</Button>}>
        {error.hint}
      </Empty>
    );
  if (!heap) return <Skeleton kind="cards" />;
  if (heap.state === "failed")
    return (
      <Empty title="The memory could not be read" actions={<Button main onClick={read}>Try again</Button>}>
        {sentence(heap.error ?? "")}
      </Empty>
    );
  if (heap.state === "idle")
    return (
      <Empty title="Look into the process" actions={<Button main onClick={read}>Copy its memory now</Button>}>
        {sentence(heap.plan ?? "")} The page then tells who keeps what alive, exactly.
      </Empty>
    );
  return (
    <Empty title="Reading the memory">
      <span role="status">{sentence(heap.doing ?? "")}</span> A heap of a million objects takes some seconds.
    </Empty>
  );
}

/** heapWords are for the bottom bar. */
export function heapWords(heap: HeapState): string[] {
  return [sentence(heap.summary ?? ""), heap.warnings.length > 0 ? plural(heap.warnings.length, "note") + ": " + heap.warnings.join("; ") : ""];
}
