// The dialog of the export: it asks before source lines go into the file.

import { useState } from "preact/hooks";
import { save } from "../export.ts";
import { Button } from "../parts/index.ts";
import { session } from "../session.ts";
import { dialog } from "../shell.ts";

export function Export() {
  const [lines, setLines] = useState(false);
  const on = session.value!;
  const close = () => (dialog.value = "");
  return (
    <>
      <h2>Export as one HTML file</h2>
      <p>It shows this session as it is now, without a server or a network, with the names of its functions, files and labels.</p>
      {on.views.includes("source") && (
        <label>
          <input type="checkbox" checked={lines} onChange={() => setLines(!lines)} />
          Source lines of the 30 largest functions
        </label>
      )}
      <div class="next">
        <Button main onClick={() => (close(), void save(on, lines))}>
          Save
        </Button>
        <Button onClick={close}>Cancel</Button>
      </div>
    </>
  );
}
