// Parts that know the state of the page: its filters, and failures to answer.

import { explain, type Failure } from "../api.ts";
import { inPlace, removeTransforms, setKey, type State } from "../state.ts";
import { matcher } from "./rows.ts";
import { Button, Empty } from "./small.tsx";

/** NoFilters is the button that removes all filters. */
export function NoFilters() {
  return <Button onClick={removeTransforms}>Remove all filters</Button>;
}

/** nothingWords says why there is nothing to draw, or to list. */
export function nothingWords(state: State, to: "draw" | "list"): string {
  return state.x.length ? `The filters leave nothing to ${to}.` : "This profile has no samples of this value.";
}

/** NoSamples stands where no samples are left. */
export function NoSamples({ state, to }: { state: State; to: "draw" | "list" }) {
  return (
    <Empty title="No samples are left" actions={<NoFilters />}>
      {nothingWords(state, to)}
    </Empty>
  );
}

/** FilterField is the field that leaves only matching rows in a table: the key filter of the address. */
export function FilterField({ label, id, value }: { label: string; id?: string; value: string }) {
  return <input id={id} class="field filter" type="search" placeholder="Filter, or /regexp/" aria-label={label} spellcheck={false} value={value} aria-invalid={matcher(value) === null} onInput={(e) => setKey("filter", e.currentTarget.value, inPlace)} />;
}

/** Warning says in a line why there is no answer, unless the server is gone, which the page says already. */
export function Warning({ e }: { e: Failure | null }) {
  if (!e || e.gone) return null;
  return <p class="label">{explain(e)}</p>;
}
