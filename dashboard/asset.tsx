import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Alert, AssetTask, BarVersion, Explanation, Pgbars, ReadBar } from "../client/mod.ts";
import { assetLink, LEVELS, useApp, useKeys } from "./context.ts";
import { BarChart } from "./chart.ts";
import { messageOf, troubleOf } from "./connection.ts";
import {
  decimalsOf,
  formatDuration,
  formatTime,
  formatVolume,
  localize,
  secondsOf,
  secondsOfTimeframe,
  zoneName,
} from "./format.ts";
import { MissingGrant, Trouble } from "./trouble.tsx";
import { usePoll } from "./use_poll.ts";

/** Windows that are read at first, and each time that older ones are asked for. */
const FIRST = 600;

interface AssetProps {
  symbol: string;
  timeframe: string;
}

export function AssetView({ symbol, timeframe }: AssetProps) {
  const { project, zone } = useApp();
  const readTasks = useCallback(async () => {
    const [tasks, alerts] = await Promise.all([project.pgbars.getAsset(symbol), project.pgbars.getAlerts()]);
    return { tasks, alerts: alerts.filter(({ canonical_symbol }) => canonical_symbol === symbol) };
  }, [project, symbol]);
  const { data, at, error } = usePoll(readTasks, project.refreshMs);
  const tasks = data?.tasks;
  // A role that may read bars, but not states, still gets to see the timeframes that every asset has.
  const timeframes = tasks?.map(({ timeframe }) => timeframe) ?? (error === null ? [timeframe] : ["1m", "5m", "1h"]);
  const show = (timeframe: string) => location.replace(assetLink(symbol, timeframe));
  useKeys(useCallback((key) => {
    const wanted = timeframes[Number(key) - 1];
    if (wanted === undefined) return false;
    show(wanted);
    return true;
  }, [timeframes.join(), symbol]));
  useEffect(() => {
    document.title = `${symbol} ${timeframe}, pgbars`;
  }, [symbol, timeframe]);
  const task = tasks?.find((task) => task.timeframe === timeframe);

  return (
    <div class="asset">
      <div class="asset-head">
        <a href="#/" class="back" aria-label="Back to the fleet">←</a>
        <h1>{symbol}</h1>
        <div class="timeframes" role="radiogroup" aria-label="Timeframe">
          {timeframes.map((name, index) => {
            const attention = tasks?.find(({ timeframe }) => timeframe === name)?.attention ?? 0;
            return (
              <button
                key={name}
                type="button"
                role="radio"
                aria-checked={name === timeframe}
                title={`Key ${index + 1}`}
                onClick={() => show(name)}
              >
                {name}
                {attention > 0 && <span class={`dot a${attention}`} aria-label={LEVELS[attention]!} role="img" />}
              </button>
            );
          })}
        </div>
        {task && (
          <span class={`state a${task.attention} s-${task.state}`} role="status">
            {task.words}
            {task.lag !== null && secondsOf(task.lag) > 0 && ` ${formatDuration(secondsOf(task.lag))}`}
          </span>
        )}
      </div>
      <Trouble error={error} at={at} grant="grant_operations_access" />
      {tasks?.length === 0 && (
        <p class="empty">
          The database knows no {symbol}: it has no task and no bar. <a href="#/">Back to the fleet</a>
        </p>
      )}
      <Bars symbol={symbol} timeframe={timeframe} key={timeframe} />
      {data && data.alerts.length > 0 && <Alerts alerts={data.alerts} />}
      {tasks && tasks.length > 0 && <Tasks {...{ tasks, symbol, timeframe }} />}
      <p class="zone">Times are {zoneName(zone)}. A bar is stamped with the start of its window.</p>
    </div>
  );
}

function Alerts({ alerts }: { alerts: Alert[] }) {
  const { zone } = useApp();
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">Open alerts</h2>
      <ul class="looks">
        {alerts.map(({ alert_id, severity, kind, timeframe, message, raised_at }) => (
          <li key={alert_id} class={`look a${severity === "critical" ? 3 : 2}`}>
            <span class={`badge a${severity === "critical" ? 3 : 2}`}>{severity}</span>
            <span class="name">{timeframe === "*" ? "all" : timeframe}</span>
            <span class="words">{kind.replaceAll("_", " ")}</span>
            <span class="explanation">{localize(message, zone)} (since {formatTime(raised_at, zone)})</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tasks({ tasks, symbol, timeframe }: AssetProps & { tasks: AssetTask[] }) {
  const { zone } = useApp();
  return (
    <section aria-labelledby="tasks">
      <h2 id="tasks">Tasks</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Table of tasks">
        <table class="stacked">
          <thead>
            <tr>
              <th scope="col">bars</th>
              <th scope="col">state</th>
              <th scope="col">behind</th>
              <th scope="col">decided up to</th>
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            {tasks.map((task) => (
              <tr key={task.timeframe} class={task.timeframe === timeframe ? "current" : ""}>
                <th scope="row">
                  <a href={assetLink(symbol, task.timeframe)}>{task.timeframe}</a>
                </th>
                <td>
                  <span class={`state a${task.attention} s-${task.state}`}>{task.words}</span>
                </td>
                <td class="number">
                  {task.lag === null || secondsOf(task.lag) === 0 ? "–" : formatDuration(secondsOf(task.lag))}
                </td>
                <td class="time">{task.decided_to_utc === null ? "–" : formatTime(task.decided_to_utc, zone)}</td>
                <td class="text">{localize(task.explanation, zone)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What is loaded of one series. */
interface Loaded {
  bars: ReadBar[];
  /** What bars that changed have been, by the start of their window. */
  versions: Map<number, BarVersion[]>;
}

/** Reads the latest windows, and from then on what is new or changed. */
class Series {
  bars: ReadBar[] = [];
  versions = new Map<number, BarVersion[]>();
  #isComplete = false;
  #older: Promise<void> | null = null;

  constructor(readonly pgbars: Pgbars, readonly symbol: string, readonly timeframe: string) {}

  async read(): Promise<Loaded> {
    const { pgbars, timeframe } = this;
    const query = { symbols: [this.symbol], timeframe, fill: true, forming: true };
    if (this.bars.length === 0) this.bars = await pgbars.getBars({ ...query, last: FIRST });
    else {
      // From the last window that was decided on.
      const place = this.bars.findLastIndex(({ is_forming, is_filled }) => !is_forming && !is_filled);
      this.#replace(await pgbars.getBars({ ...query, from: this.bars[Math.max(0, place)]!.ts_utc }));
    }
    await this.#readVersions();
    return { bars: this.bars, versions: this.versions };
  }

  /** Reads older windows. */
  readOlder(): Promise<void> {
    return this.#older ??= this.#readOlder().finally(() => this.#older = null);
  }

  async #readOlder(): Promise<void> {
    const first = this.bars[0];
    if (first === undefined || this.#isComplete) return;
    const query = { symbols: [this.symbol], timeframe: this.timeframe, fill: true };
    const older = await this.pgbars.getBars({ ...query, last: FIRST, to: first.ts_utc });
    this.#isComplete = older.length === 0;
    this.bars = [...older, ...this.bars];
    await this.#readVersions();
  }

  /** Reads which windows changed, and those again whose bar is older than the change. */
  async #readVersions(): Promise<void> {
    const first = this.bars[0];
    if (first === undefined || this.timeframe === "1m") return;
    const found = await this.pgbars.getBarVersions({
      symbol: this.symbol,
      timeframe: this.timeframe,
      from: first.ts_utc,
    });
    this.versions = Map.groupBy(found, ({ ts_utc }) => ts_utc.getTime());
    const known = new Map(this.bars.map((bar) => [bar.ts_utc.getTime(), bar.updated_at?.getTime() ?? 0]));
    const old = found.filter(({ ts_utc, written_at, replaced_at, is_bar }) => {
      const updated = known.get(ts_utc.getTime());
      return replaced_at === null && (is_bar ? updated !== undefined && updated < written_at.getTime() : !!updated);
    });
    if (old.length === 0) return;
    const times = old.map(({ ts_utc }) => ts_utc.getTime());
    const from = Math.min(...times);
    this.#replace(
      await this.pgbars.getBars({
        symbols: [this.symbol],
        timeframe: this.timeframe,
        fill: true,
        forming: true,
        from: new Date(from),
      }),
      from,
    );
  }

  /** Puts bars in the place of those from the first of them on. Those that are the same stay the same objects. */
  #replace(fresh: ReadBar[], from = fresh[0]?.ts_utc.getTime()): void {
    if (from === undefined) return;
    const before = new Map(this.bars.map((bar) => [bar.ts_utc.getTime(), bar]));
    const bars = this.bars.filter(({ ts_utc }) => ts_utc.getTime() < from);
    for (const bar of fresh) {
      const last = before.get(bar.ts_utc.getTime());
      bars.push(last !== undefined && JSON.stringify(last) === JSON.stringify(bar) ? last : bar);
    }
    this.bars = bars;
  }
}

function Bars({ symbol, timeframe }: AssetProps) {
  const { project, zone, theme } = useApp();
  const series = useMemo(() => new Series(project.pgbars, symbol, timeframe), [project, symbol, timeframe]);
  const read = useCallback(() => series.read(), [series]);
  const { data, at, error, refresh } = usePoll<Loaded>(read, project.refreshMs);
  useEffect(() => {
    if (!project.broadcast || timeframe === "1m") return;
    // A message says that there is something to read; without one it is read from time to time.
    const subscription = project.pgbars.subscribeBars({
      symbols: [symbol],
      timeframe,
      pollSeconds: 86_400,
      onBars: ({ source }) => source === "broadcast" && refresh(),
    });
    return () => void subscription.unsubscribe();
  }, [project, symbol, timeframe, refresh]);
  const [, setRead] = useState(0);
  const [hovered, setHovered] = useState<number | null>(null);
  const [selected, setSelected] = useState<number | null>(null);
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<BarChart | null>(null);
  const drawn = useRef<Series | null>(null);
  const bars = data === null ? [] : series.bars;

  const hasBars = bars.length > 0;
  useEffect(() => {
    if (!hasBars) return;
    const made = chart.current = new BarChart(element.current!, {
      onHover: setHovered,
      onSelect: (ts) => setSelected((last) => last === ts ? null : ts),
      onNearStart: () => series.readOlder().then(() => setRead((count) => count + 1), () => {}),
    });
    return () => {
      made.remove();
      chart.current = drawn.current = null;
    };
  }, [hasBars, series]);
  useEffect(() => chart.current?.setZone(zone), [zone, hasBars]);
  useEffect(() => {
    if (!hasBars) return;
    const picture = { bars, corrected: new Set(series.versions.keys()), length: secondsOfTimeframe(timeframe) };
    chart.current?.setPicture(picture, drawn.current !== series);
    drawn.current = series;
  }, [bars, series.versions, hasBars]);
  useEffect(() => chart.current?.setTheme(), [theme]);
  useEffect(() => chart.current?.select(selected), [selected, hasBars]);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      if (selected !== null) setSelected(null);
      else location.hash = "#/";
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [selected]);

  const onKeyDown = (event: KeyboardEvent) => {
    const last = bars.length - 1;
    const place = selected === null ? bars.length : bars.findIndex(({ ts_utc }) => ts_utc.getTime() === selected);
    const next: Record<string, number> = {
      ArrowLeft: Math.max(0, place - 1),
      ArrowRight: Math.min(last, place + 1),
      Home: 0,
      End: last,
    };
    if (event.key in next) setSelected(bars[next[event.key]!]!.ts_utc.getTime());
    else if (event.key === "+" || event.key === "=") chart.current?.zoom(0.7);
    else if (event.key === "-") chart.current?.zoom(1.4);
    else return;
    // The legend follows the keys until the pointer moves again.
    setHovered(null);
    event.preventDefault();
  };
  const decimals = useMemo(() => decimalsOf(bars.slice(-300).flatMap(({ open, close }) => [open, close])), [bars]);
  const told = bars.find(({ ts_utc }) => ts_utc.getTime() === (hovered ?? selected)) ?? bars.at(-1);

  return (
    <div class="bars">
      <div class="chart-side">
        {/* That the database is away is said above the chart. */}
        {troubleOf(error) !== "away" && <Trouble error={error} at={at} grant="grant_read_access" />}
        {data === null && error === null && <p class="starting" role="status">Reading bars.</p>}
        {data !== null && !hasBars && (
          <p class="empty">
            There is no {timeframe} bar of {symbol} to see: none is built yet, or a policy hides it from this role.{" "}
            <button type="button" onClick={refresh}>Look again</button>
          </p>
        )}
        {hasBars && (
          <>
            <Legend bar={told!} decimals={decimals} isCorrected={series.versions.has(told!.ts_utc.getTime())} />
            <div
              ref={element}
              class="chart"
              tabIndex={0}
              role="application"
              aria-label={`Candles of ${symbol} ${timeframe}. Arrow keys move between bars.`}
              onKeyDown={onKeyDown}
            />
            <Key />
          </>
        )}
      </div>
      {hasBars && (
        <Window
          {...{ symbol, timeframe, decimals, selected }}
          bar={bars.find(({ ts_utc }) => ts_utc.getTime() === selected)}
          versions={series.versions}
          onSelect={setSelected}
          latest={bars.at(-1)!.ts_utc.getTime()}
        />
      )}
    </div>
  );
}

const QUALITY = ["poor", "good", "excellent"];

function Legend({ bar, decimals, isCorrected }: { bar: ReadBar; decimals: number; isCorrected: boolean }) {
  const { zone } = useApp();
  const { open, high, low, close, vol, quality_score, is_filled, is_forming, covered_minutes, expected_minutes } = bar;
  return (
    <p class={`legend ${close >= open ? "up" : "down"}`}>
      <span class="time">{formatTime(bar.ts_utc, zone)}</span>
      {is_filled ? <b class="gap">no bar</b> : (
        <>
          {([["O", open], ["H", high], ["L", low], ["C", close]] as const).map(([name, price]) => (
            <span key={name}>
              {name} <b>{price.toFixed(decimals)}</b>
            </span>
          ))}
          <span>
            V <b>{vol === null ? "–" : formatVolume(vol)}</b>
          </span>
          {quality_score !== null && <span class={`quality q${quality_score}`}>{QUALITY[quality_score]}</span>}
          {expected_minutes !== null && expected_minutes > 1 && <span>{covered_minutes}/{expected_minutes} min</span>}
        </>
      )}
      {is_forming && <b class="forming">forming</b>}
      {isCorrected && <b class="corrected">corrected</b>}
    </p>
  );
}

function Key() {
  return (
    <ul class="key" aria-label="Key of the chart">
      <li>
        <span class="swatch hollow" />forming
      </li>
      <li>
        <span class="swatch gap" />gap
      </li>
      <li>
        <span class="swatch closed" />market closed
      </li>
      <li>
        <span class="swatch q1" />good
      </li>
      <li>
        <span class="swatch q0" />poor
      </li>
      <li>
        <span class="swatch mark" />corrected
      </li>
    </ul>
  );
}

interface WindowProps extends AssetProps {
  selected: number | null;
  bar: ReadBar | undefined;
  decimals: number;
  versions: ReadonlyMap<number, BarVersion[]>;
  latest: number;
  onSelect(ts: number): void;
}

/** What is known of the window that is selected, or else which windows were corrected. */
function Window({ symbol, timeframe, selected, bar, decimals, versions, latest, onSelect }: WindowProps) {
  const { zone } = useApp();
  if (selected === null) {
    const corrected = [...versions].slice(0, 12);
    return (
      <aside class="window" aria-label="Window">
        <h2>No bar is selected</h2>
        <p>
          Click a bar, or use the arrow keys in the chart: what it is made of, what it was before, and why.
        </p>
        <button type="button" onClick={() => onSelect(latest)}>Why is the latest as it is?</button>
        {corrected.length > 0 && (
          <>
            <h3>Corrected lately</h3>
            <ul class="corrections">
              {corrected.map(([ts, list]) => (
                <li key={ts}>
                  <button type="button" class="quiet" onClick={() => onSelect(ts)}>
                    {formatTime(new Date(ts), zone)}
                  </button>{" "}
                  {list.at(-2)?.reason?.replaceAll("_", " ")}
                </li>
              ))}
            </ul>
          </>
        )}
      </aside>
    );
  }
  const list = versions.get(selected);
  return (
    <aside class="window" aria-label="Window" aria-live="polite">
      <h2>
        {symbol} {timeframe} <span class="time">{formatTime(new Date(selected), zone)}</span>
      </h2>
      {list && <Versions list={list} decimals={decimals} />}
      <Why {...{ symbol, timeframe, selected }} seen={`${bar?.updated_at?.getTime()} ${bar?.is_forming}`} />
    </aside>
  );
}

/** The last two versions of a bar beside each other, and when it was otherwise before. */
function Versions({ list, decimals }: { list: BarVersion[]; decimals: number }) {
  const { zone } = useApp();
  const shown = list.slice(-3);
  const price = (version: BarVersion, name: "open" | "high" | "low" | "close") =>
    version.is_bar ? version[name].toFixed(decimals) : "–";
  const rows: [string, (version: BarVersion) => string][] = [
    ["open", (version) => price(version, "open")],
    ["high", (version) => price(version, "high")],
    ["low", (version) => price(version, "low")],
    ["close", (version) => price(version, "close")],
    ["volume", ({ is_bar, vol }) => is_bar && vol !== null ? formatVolume(vol) : "–"],
    ["minutes", ({ covered_minutes, expected_minutes }) => `${covered_minutes}/${expected_minutes}`],
    ["since", ({ written_at }) => formatTime(written_at, zone).slice(5)],
    ["replaced for", ({ reason }) => reason?.replaceAll("_", " ") ?? ""],
  ];
  return (
    <div class="scroll">
      <table class="versions">
        <caption>
          {list.length > shown.length ? `The last ${shown.length} of ${list.length} versions` : "Old and new"}
        </caption>
        <thead>
          <tr>
            <td />
            {shown.map(({ is_bar }, place) => (
              <th scope="col" key={place}>
                {place === shown.length - 1 ? "new" : shown.length === 2 ? "old" : `old ${place + 1}`}
                {!is_bar && ": no bar"}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {shown.map((version, place) => {
                const before = shown[place - 1];
                return (
                  <td key={place} class={before && text(before) !== text(version) ? "changed" : ""}>{text(version)}</td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What agg_explain says of a window. It asks again when the bar is another. */
function Why({ symbol, timeframe, selected, seen }: AssetProps & { selected: number; seen: string }) {
  const { project, zone } = useApp();
  const [answer, setAnswer] = useState<{ rows: Explanation[] | null; error: unknown }>({ rows: null, error: null });
  useEffect(() => {
    let ended = false;
    // Holding an arrow key down asks for the last bar only.
    const timer = setTimeout(() =>
      project.pgbars.explain(symbol, timeframe, new Date(selected)).then(
        (rows) => !ended && setAnswer({ rows, error: null }),
        (error) => !ended && setAnswer({ rows: null, error }),
      ), 200);
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [project, symbol, timeframe, selected, seen]);
  const { rows, error } = answer;
  return (
    <>
      <h3>Why?</h3>
      {error !== null && (troubleOf(error) === "rights"
        ? <MissingGrant grant="grant_operations_access" />
        : <p class="problem" role="alert">{messageOf(error)}</p>)}
      {rows && (
        <dl class="why">
          {rows.map(({ item, value }, place) => (
            <div key={place} class={`item-${item}`}>
              <dt>{item === rows[place - 1]?.item ? "" : item}</dt>
              <dd>{localize(value, zone)}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}
