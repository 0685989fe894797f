// The page: the frame around the views, and what it shows when something is
// wrong. There is never a blank page: every failure is a sentence with a way on.

import { Component, render, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { again, explain, Failure, pending, ping, reopen, serverGone, useLoad, retries } from "./api.ts";
import { listen } from "./commands.ts";
import { sentence, visible } from "./format.ts";
import { Chips } from "./frame/Chips.tsx";
import { Dialogs } from "./frame/Dialogs.tsx";
import { Foot } from "./frame/Foot.tsx";
import { Home, useDrop } from "./frame/Home.tsx";
import { Inspector } from "./frame/Inspector.tsx";
import { Rail } from "./frame/Rail.tsx";
import { startActions } from "./frame/actions.ts";
import { TopBar } from "./frame/TopBar.tsx";
import { Button, edge, Empty, NoFilters, Skeleton, Tooltip } from "./parts/index.ts";
import { saved } from "./saved.ts";
import { loadSession, session, sessionError } from "./session.ts";
import { drawer, said, startTheme, toast, toasts } from "./shell.ts";
import { badURL, canUndo, navigate, ownKeys, read, startPage, state, undo } from "./state.ts";
import type { Session } from "./types.ts";
import { viewByID, viewsFor, type View } from "./views/index.ts";

function Page() {
  useDrop();
  const s = state.value;
  useEffect(() => void loadSession(s.session), [s.session, retries.value]);
  const on = s.session && session.value?.id === s.session ? session.value : null;
  const view = viewByID(s.view);
  useFirstView(on);
  useTitle(on, view);
  const side = on && view && !view.wide && !badURL.value;
  return (
    <div class={s.session || badURL.value ? "page" : "page start"}>
      <a class="skip" href="#main" onClick={(e) => (e.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to the view
      </a>
      <div class={pending.value > 0 ? "progress on" : "progress"} aria-hidden>
        <i />
      </div>
      <TopBar session={on} />
      <Rail session={on} />
      <main class="main" id="main" tabIndex={-1} aria-busy={pending.value > 0}>
        {(s.session !== "" || badURL.value) && <h1 class="sr">{view ? `${view.title} of ${on?.title ?? s.session}` : "Profound"}</h1>}
        {serverGone.value && <Gone />}
        {saved && <p class="label savednote">{visible(saved.note)}</p>}
        <Body on={on} view={view} />
      </main>
      {side && <Inspector session={on} />}
      <Foot />
      <Toasts />
      <Dialogs />
      <Tooltip />
      <div class="sr" role="status" aria-live="polite">
        {said.value}
      </div>
    </div>
  );
}

/** useFirstView goes to the first view when the URL names none. */
function useFirstView(on: Session | null): void {
  useEffect(() => {
    if (!on || state.peek().view !== "") return;
    const first = viewsFor(on)[0];
    if (first) navigate({ view: first.id }, { replace: true });
  }, [on, state.value.view]);
}

function useTitle(on: Session | null, view: View | undefined): void {
  const title = on ? `${view ? view.title + " · " : ""}${on.title} · Profound` : "Profound";
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function Body({ on, view }: { on: Session | null; view: View | undefined }) {
  const s = state.value;
  if (badURL.value) return <Problem title={badURL.value.message} hint={badURL.value.hint} />;
  if (!s.session) return <Home />;
  if (sessionError.value) return <SessionProblem e={sessionError.value} />;
  if (!on || s.view === "")
    return (
      <div class="view">
        <Skeleton kind="rows" />
      </div>
    );
  if (!view) return <Problem title={`There is no view “${s.view}”.`} hint="It may be of a newer Profound." session={on} />;
  return (
    <>
      <Chips />
      <Guard key={view.id}>
        <Shown view={view} on={on} />
      </Guard>
    </>
  );
}

/** Shown asks for the view's data and shows it, what came before while it waits, or why there is none. */
function Shown({ view, on }: { view: View; on: Session }) {
  const s = state.value;
  const url = view.load(s, on);
  const load = useLoad<unknown>(url);
  if (load.error && !(load.error.gone && load.data)) return <ViewProblem e={load.error} />;
  const ready = url === null || load.data !== null;
  return (
    <div class={load.loading && load.data ? "view loading" : "view"} data-view={view.id} data-ready={ready && !load.loading ? "" : undefined}>
      {ready ? <view.View data={load.data} stale={load.loading} state={s} session={on} /> : <Skeleton kind={view.skeleton ?? "rows"} />}
    </div>
  );
}

/** Guard catches bugs in views: the rest of the page goes on. */
class Guard extends Component<{ children: ComponentChildren }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };
  override componentDidCatch(error: Error): void {
    console.error(error);
    this.setState({ error });
  }
  override render() {
    const e = this.state.error;
    if (!e) return this.props.children;
    return (
      <Problem title="This view met an error of the page itself." hint={`${e.message}. The other views go on working; please report what you did.`}>
        <Button onClick={() => this.setState({ error: null })}>Try again</Button>
      </Problem>
    );
  }
}

function Problem({ title, hint, session: on, children }: { title: string; hint: string; session?: Session; children?: ComponentChildren }) {
  return (
    <div class="view" role="alert">
      <Empty
        title={title}
        actions={
          <>
            {children}
            {on && <Button main onClick={() => navigate({ view: viewsFor(on)[0]?.id ?? "flame" })}>First view</Button>}
            <Button onClick={startPage}>Start page</Button>
          </>
        }
      >
        {hint}
      </Empty>
    </div>
  );
}

function SessionProblem({ e }: { e: Failure }) {
  return (
    <Problem title={sentence(e.message)} hint={e.hint}>
      {e.status === 410 && <OpenAgain />}
      <Button main={e.status !== 410} onClick={again}>
        Try again
      </Button>
    </Problem>
  );
}

/** OpenAgain reads again what the session of the link was made of, and shows the link. */
function OpenAgain() {
  const run = async () => {
    const id = state.peek().session;
    try {
      const { session: now } = await reopen(id);
      if (now !== id) {
        toast("The files have changed since: this is what they are now.");
        navigate({ session: now });
      }
      again();
    } catch (e) {
      toast(explain(e), { bad: true });
    }
  };
  return (
    <Button main onClick={() => void run()}>
      Open again
    </Button>
  );
}

function ViewProblem({ e }: { e: Failure }) {
  const s = state.value;
  const own = ownKeys(s);
  const gone = e.status === 410;
  return (
    <Problem title={sentence(e.message)} hint={e.hint}>
      {gone && <OpenAgain />}
      {own.length > 0 && <Button onClick={() => navigate({ keys: Object.fromEntries(own.map((k) => [k, undefined])) })}>{own.length > 1 ? "Without these settings" : "Without this setting"}</Button>}
      {s.x.length > 0 && <NoFilters />}
      {(s.keys["cur"] || s.keys["base"] || s.keys["kind"] || s.keys["value"]) && <Button onClick={() => navigate({ keys: { cur: undefined, base: undefined, kind: undefined, value: undefined } })}>Default data</Button>}
      {canUndo.value && <Button onClick={undo}>Undo</Button>}
      <Button main={!gone} onClick={again}>
        Try again
      </Button>
    </Problem>
  );
}

/** Gone says that the server does not answer, and asks until it does. */
function Gone() {
  useEffect(() => {
    const timer = setInterval(() => void ping().then((back) => back && again()), 2000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="banner" role="alert">
      <b>Profound does not answer any more.</b>
      <span>It was stopped, or the network is cut. What was loaded stays. Start it again with the same arguments: this page goes on by itself.</span>
      <Button onClick={again}>Try now</Button>
    </div>
  );
}

function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={t.bad ? "toast bad" : "toast"} style={edge(t.bad ? "bad" : undefined)}>
          <span>{t.text}</span>
        </div>
      ))}
    </div>
  );
}

startTheme();
startActions();
listen();
read();
window.addEventListener("popstate", () => {
  read();
  drawer.value = false;
});
const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<Page />, root);
}
