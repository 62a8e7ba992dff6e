import type { Session } from "@supabase/supabase-js";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Check } from "../client/mod.ts";
import { AssetView } from "./asset.tsx";
import { connect, type Connection, findConnection, forgetConnection, roleOf } from "./connection.ts";
import { AppContext, type Context, type Theme, useApp, useKeys } from "./context.ts";
import { FleetView } from "./fleet.tsx";
import type { Zone } from "./format.ts";
import { HealthView } from "./health.tsx";
import { Help } from "./help.tsx";
import { ConnectForm, SignInForm } from "./setup.tsx";
import { usePoll } from "./use_poll.ts";

type Route = { view: "fleet" } | { view: "health" } | { view: "asset"; symbol: string; timeframe: string };

function readRoute(): Route {
  const [view, symbol, timeframe] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (view === "health") return { view };
  if (view === "asset" && symbol) return { view, symbol, timeframe: timeframe || "1h" };
  return { view: "fleet" };
}

export function App() {
  const [connection, setConnection] = useState<Connection | null | undefined>(undefined);
  useEffect(() => {
    findConnection().then(setConnection);
  }, []);
  const [theme, toggleTheme] = useTheme();
  if (connection === undefined) return null;
  if (connection === null) return <ConnectForm onConnect={setConnection} />;
  const change = () => {
    forgetConnection();
    setConnection(null);
  };
  return <Connected {...{ connection, theme, toggleTheme, change }} key={connection.url + connection.key} />;
}

interface ConnectedProps {
  connection: Connection;
  theme: Theme;
  toggleTheme(): void;
  change(): void;
}

function Connected({ connection, theme, toggleTheme, change }: ConnectedProps) {
  const project = useMemo(() => connect(connection), [connection]);
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [dialog, setDialog] = useState<"sign-in" | "help" | null>(null);
  const [zone, setZone] = useStored<Zone>("pgbars.zone", "UTC");
  const route = useRoute();
  useEffect(() => {
    const { data } = project.auth.onAuthStateChange((_event, session) => setSession(session));
    return () => data.subscription.unsubscribe();
  }, [project]);
  useKeys(useCallback((key) => {
    if (key === "?") setDialog("help");
    else if (key === "f") location.hash = "#/";
    else if (key === "h") location.hash = "#/health";
    else return false;
    return true;
  }, []));
  const user = session?.user.id;
  const role = session === undefined ? "" : roleOf(connection, session);
  const app = useMemo<Context>(
    () => ({ project, role, session: session ?? null, zone, theme, signIn: () => setDialog("sign-in") }),
    [project, role, user, zone, theme],
  );
  if (session === undefined) return null;
  return (
    <AppContext.Provider value={app}>
      <a class="skip" href="#main" onClick={focusMain}>Skip to the content</a>
      <header class="bar">
        <a class="brand" href="#/">pgbars</a>
        <nav aria-label="Views">
          <a href="#/" aria-current={route.view === "fleet" ? "page" : undefined}>Fleet</a>
          <a href="#/health" aria-current={route.view === "health" ? "page" : undefined}>Health</a>
        </nav>
        <Verdict key={role + user} />
        <span class="space" />
        <button type="button" class="quiet" onClick={() => setZone(zone === "UTC" ? "local" : "UTC")}>
          <span class="wide">Times in</span> {zone === "UTC" ? "UTC" : "local"}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={toggleTheme}
          aria-label={`Use ${theme === "dark" ? "light" : "dark"} colours`}
        >
          {theme === "dark" ? "☀" : "☾"}
        </button>
        {session
          ? (
            <button type="button" class="quiet" onClick={() => project.auth.signOut({ scope: "local" })}>
              Sign out <span class="wide">{session.user.email}</span>
            </button>
          )
          : <button type="button" class="quiet" onClick={() => setDialog("sign-in")}>Sign in</button>}
        <button type="button" class="quiet" onClick={() => setDialog("help")} aria-label="Help">?</button>
      </header>
      <main id="main" tabIndex={-1} key={role + user}>
        {route.view === "fleet" && <FleetView />}
        {route.view === "health" && <HealthView />}
        {route.view === "asset" && <AssetView symbol={route.symbol} timeframe={route.timeframe} key={route.symbol} />}
      </main>
      {dialog === "sign-in" && <SignInForm onClose={() => setDialog(null)} />}
      {dialog === "help" && <Help onClose={() => setDialog(null)} url={connection.url} onChange={change} />}
    </AppContext.Provider>
  );
}

function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")!.focus();
}

/** The verdict of agg_check, which takes the database longer than the rest. */
function Verdict() {
  const { project } = useApp();
  const read = useCallback(async (): Promise<Check | undefined> => (await project.pgbars.getChecks())[0], [project]);
  const { data, error } = usePoll(read, 6 * project.refreshMs);
  if (!data) return null;
  return (
    <a class={`verdict ${data.status}`} href="#/health" title={data.value}>
      {data.status}
      {error !== null && <span class="wide">(before)</span>}
    </a>
  );
}

function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const follow = () => setRoute(readRoute());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/** A choice that the browser keeps. */
export function useStored<Value extends string>(name: string, initial: Value): [Value, (value: Value) => void] {
  const [value, setValue] = useState(() => (localStorage.getItem(name) ?? initial) as Value);
  return [value, (value) => {
    localStorage.setItem(name, value);
    setValue(value);
  }];
}

/** The colours of the system until the user chooses others. */
function useTheme(): [Theme, () => void] {
  const query = useRef(matchMedia("(prefers-color-scheme: dark)"));
  const [system, setSystem] = useState<Theme>(query.current.matches ? "dark" : "light");
  const [chosen, choose] = useStored<Theme | "">("pgbars.theme", "");
  useEffect(() => {
    const follow = () => setSystem(query.current.matches ? "dark" : "light");
    query.current.addEventListener("change", follow);
    return () => query.current.removeEventListener("change", follow);
  }, []);
  const theme = chosen || system;
  document.documentElement.dataset.theme = theme;
  return [theme, () => choose(theme === "dark" ? "light" : "dark")];
}
