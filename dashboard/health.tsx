import { useCallback, useEffect, useState } from "preact/hooks";
import type { Alert, Check, Run } from "../client/mod.ts";
import { assetLink, useApp } from "./context.ts";
import { formatDuration, formatTime, localize, secondsOf } from "./format.ts";
import { Trouble } from "./trouble.tsx";
import { usePoll } from "./use_poll.ts";

const RUNS = 60;
/** What comes first. */
const ORDER = ["FAIL", "WARN", "PASS"];

export function HealthView() {
  const { project } = useApp();
  const [all, setAll] = useState(false);
  const [resolved, setResolved] = useState(false);
  // The checks take the database longer than the rest.
  const checks = usePoll(useCallback(() => project.pgbars.getChecks({ all }), [project, all]), 2 * project.refreshMs);
  const alerts = usePoll(
    useCallback(() => project.pgbars.getAlerts({ openOnly: !resolved }), [project, resolved]),
    project.refreshMs,
  );
  const runs = usePoll(useCallback(() => project.pgbars.getRuns({ limit: RUNS }), [project]), project.refreshMs);
  useEffect(() => {
    document.title = "Health, pgbars";
  }, []);
  const error = alerts.error ?? runs.error ?? checks.error;
  const [verdict, ...rows] = checks.data ?? [];
  const found = rows.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
  return (
    <div class="health">
      <h1 class="hidden">Health</h1>
      <Trouble error={error} at={alerts.at ?? checks.at} grant="grant_operations_access" />
      {verdict && <Verdict verdict={verdict} at={checks.at!} />}
      {!verdict && error === null && <p class="starting" role="status">Checking.</p>}
      {checks.data && (
        <section aria-labelledby="checks">
          <div class="section-head">
            <h2 id="checks">Checks</h2>
            <Toggle on={all} onChange={setAll}>show those that pass</Toggle>
          </div>
          {found.length === 0 ? <p class="empty">Every check passes.</p> : <Checks found={found} />}
        </section>
      )}
      {alerts.data && (
        <section aria-labelledby="alerts">
          <div class="section-head">
            <h2 id="alerts">
              Alerts <span class="count">{alerts.data.filter(({ resolved_at }) => resolved_at === null).length}</span>
            </h2>
            <Toggle on={resolved} onChange={setResolved}>show those of the last 90 days</Toggle>
          </div>
          {alerts.data.length === 0 ? <p class="empty">No alert is open.</p> : <Alerts alerts={alerts.data} />}
        </section>
      )}
      {runs.data && (
        <section aria-labelledby="runs">
          <h2 id="runs">Runs of the dispatcher</h2>
          {runs.data.length === 0
            ? <p class="empty">No dispatcher has run yet: select schedule_jobs();</p>
            : <Runs runs={runs.data} />}
        </section>
      )}
    </div>
  );
}

interface ToggleProps {
  on: boolean;
  onChange(on: boolean): void;
  children: string;
}

function Toggle({ on, onChange, children }: ToggleProps) {
  return (
    <label class="toggle">
      <input type="checkbox" checked={on} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />{" "}
      {children}
    </label>
  );
}

const SAID = { PASS: "All is as it should be.", WARN: "Something needs a look.", FAIL: "Bars are missing or wrong." };

function Verdict({ verdict: { status, value }, at }: { verdict: Check; at: Date }) {
  const { zone } = useApp();
  return (
    <p class={`banner ${status}`} role="status">
      <b>{status}</b>
      <span>{SAID[status]}</span>
      <span class="value">{value}, at {formatTime(at, zone, true).slice(11)}</span>
    </p>
  );
}

/** Checks that are shown at first: a database that is away from its feeds has one a task. */
const FIRST = 30;

function Checks({ found }: { found: Check[] }) {
  const { zone } = useApp();
  const [all, setAll] = useState(false);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of checks">
        <table class="stacked">
          <thead>
            <tr>
              <th scope="col">status</th>
              <th scope="col">check</th>
              <th scope="col">subject</th>
              <th scope="col">found</th>
              <th scope="col">do</th>
            </tr>
          </thead>
          <tbody>
            {(all ? found : found.slice(0, FIRST)).map(({ check, subject, status, value, hint }) => (
              <tr key={`${check} ${subject} ${value}`}>
                <td>
                  <span class={`verdict ${status}`}>{status}</span>
                </td>
                <th scope="row">{check}</th>
                <td>{subject === "*" ? "" : subject}</td>
                <td class="text">{localize(value, zone)}</td>
                <td class="text">{hint && localize(hint, zone)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.length > FIRST && (
        <button type="button" class="quiet more" onClick={() => setAll(!all)}>
          {all ? "Show less" : `Show all ${found.length}`}
        </button>
      )}
    </>
  );
}

function Alerts({ alerts }: { alerts: Alert[] }) {
  const { zone } = useApp();
  return (
    <ul class="looks">
      {alerts.map(({ alert_id, severity, kind, canonical_symbol, timeframe, message, raised_at, resolved_at }) => {
        const level = resolved_at === null ? severity === "critical" ? 3 : 2 : 0;
        return (
          <li key={alert_id} class={`look a${level}`}>
            <span class={`badge a${level}`}>{resolved_at === null ? severity : "resolved"}</span>
            {canonical_symbol === "*"
              ? <span class="name">all</span>
              : (
                <a class="name" href={assetLink(canonical_symbol, timeframe === "*" ? "5m" : timeframe)}>
                  {canonical_symbol} {timeframe === "*" ? "" : timeframe}
                </a>
              )}
            <span class="words">
              {kind.replaceAll("_", " ")}
              <span class="lag">
                {formatDuration(((resolved_at?.getTime() ?? Date.now()) - raised_at.getTime()) / 1000)}
              </span>
            </span>
            <span class="explanation">
              {localize(message, zone)} (since {formatTime(raised_at, zone)}
              {resolved_at && `, until ${formatTime(resolved_at, zone)}`})
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Runs({ runs }: { runs: Run[] }) {
  const { zone } = useApp();
  const longest = Math.max(1, ...runs.map(({ took }) => secondsOf(took)));
  const number = (value: number) => value === 0 ? <span class="zero">0</span> : value.toLocaleString("en");
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Table of runs">
      <table>
        <thead>
          <tr>
            <th scope="col">started</th>
            <th scope="col">took</th>
            <th scope="col">tasks</th>
            <th scope="col">windows</th>
            <th scope="col">bars</th>
            <th scope="col">corrected</th>
            <th scope="col">poor</th>
            <th scope="col">failed</th>
            <th scope="col">stopped</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const seconds = secondsOf(run.took);
            return (
              <tr key={run.run_id}>
                <th scope="row" class="time">{formatTime(run.started_at, zone, true)}</th>
                <td class="took">
                  <span class="track">
                    <span style={{ width: `${100 * seconds / longest}%` }} />
                  </span>
                  {seconds < 10 ? `${seconds.toFixed(2)}s` : formatDuration(seconds)}
                </td>
                <td class="number">{number(run.tasks)}</td>
                <td class="number">{number(run.windows)}</td>
                <td class="number">{number(run.bars_created)}</td>
                <td class="number">{number(run.bars_corrected)}</td>
                <td class="number">{number(run.bars_quality_poor)}</td>
                <td class={run.failed > 0 ? "number failed" : "number"}>{number(run.failed)}</td>
                <td>{run.stopped_reason.replaceAll("_", " ")}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
