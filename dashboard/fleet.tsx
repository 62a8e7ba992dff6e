import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Fleet, FleetAsset, FleetCell, FleetLook } from "../client/mod.ts";
import { assetLink, LEVELS, useApp, useKeys } from "./context.ts";
import { formatDuration, formatTime, localize, secondsOfTimeframe } from "./format.ts";
import { Trouble } from "./trouble.tsx";
import { usePoll } from "./use_poll.ts";

/** What the user looks for. It outlives the view, so that going back shows the same. */
const chosen = { search: "", level: -1, state: "", timeframe: "" };

export function FleetView() {
  const { project, zone } = useApp();
  const read = useCallback(() => project.pgbars.getFleet(), [project]);
  const { data: fleet, at, error } = usePoll(read, project.refreshMs);
  const [filter, setFilter] = useState(chosen);
  const field = useRef<HTMLInputElement>(null);
  useKeys(useCallback((key) => {
    if (key !== "/") return false;
    field.current?.focus();
    return true;
  }, []));
  const choose = (change: Partial<typeof chosen>) => setFilter(Object.assign(chosen, change) && { ...chosen });
  const found = useMemo(() => fleet && findAssets(fleet, filter), [fleet, filter]);
  const isFiltered = filter.search !== "" || filter.level >= 0 || filter.state !== "" || filter.timeframe !== "";
  useEffect(() => {
    document.title = fleet ? `${fleet.looks > 0 ? `(${fleet.looks}) ` : ""}Fleet, pgbars` : "Fleet, pgbars";
  }, [fleet]);

  return (
    <div class="fleet">
      <h1 class="hidden">Fleet</h1>
      <Trouble error={error} at={at} grant="grant_operations_access" />
      {!fleet && error === null && <p class="starting" role="status">Reading the fleet.</p>}
      {fleet && found && (
        <>
          {fleet.paused && (
            <p class="paused" role="status">
              Paused {fleet.paused.until === "infinity"
                ? "until agg_resume"
                : `until ${formatTime(new Date(fleet.paused.until), zone)}`}: {fleet.paused.reason}
            </p>
          )}
          <div class="filters" role="group" aria-label="Filter">
            <div class="levels">
              {[3, 2, 1, 0].map((level) => (
                <button
                  key={level}
                  type="button"
                  class={`level a${level}`}
                  aria-pressed={filter.level === level}
                  onClick={() => choose({ level: filter.level === level ? -1 : level })}
                >
                  <b>{fleet.assets.filter(({ attention }) => attention === level).length}</b> {LEVELS[level]}
                </button>
              ))}
            </div>
            <input
              ref={field}
              type="search"
              placeholder="Search symbols  /"
              aria-label="Search symbols"
              value={filter.search}
              onInput={({ currentTarget }) => choose({ search: currentTarget.value })}
              onKeyDown={(event) => {
                if (event.key === "ArrowDown" || event.key === "Enter") focusTile(0);
                else if (event.key !== "Escape") return;
                else event.currentTarget.blur();
                event.preventDefault();
              }}
            />
            <select
              aria-label="State"
              value={filter.state}
              onChange={({ currentTarget }) => choose({ state: currentTarget.value })}
            >
              <option value="">any state</option>
              {Object.entries(fleet.states).filter(([state]) => state !== "switched_off").map(([state, words]) => (
                <option key={state} value={state}>{words}</option>
              ))}
            </select>
            <select
              aria-label="Timeframe"
              value={filter.timeframe}
              onChange={({ currentTarget }) => choose({ timeframe: currentTarget.value })}
            >
              <option value="">any timeframe</option>
              {fleet.timeframes.map((timeframe) => <option key={timeframe}>{timeframe}</option>)}
            </select>
            <span class="live" role="status">
              <span class={error === null ? "dot on" : "dot"} aria-hidden="true" />
              {error === null ? "live" : "away"} <span class="wide">{at && formatTime(at, zone, true).slice(11)}</span>
            </span>
          </div>
          {!isFiltered && fleet.look.length > 0 && <Looks fleet={fleet} />}
          <h2>
            {isFiltered ? `${found.length} of ${fleet.assets.length} assets` : `${fleet.assets.length} assets`}
          </h2>
          {found.length === 0 && (
            <p class="empty">
              {fleet.assets.length === 0
                ? "No asset has a task. Insert one into core_asset_registry_all with active true."
                : "No asset is like that."}
            </p>
          )}
          <Tiles assets={found} fleet={fleet} />
        </>
      )}
    </div>
  );
}

function findAssets({ assets, timeframes }: Fleet, { search, level, state, timeframe }: typeof chosen): FleetAsset[] {
  const words = search.toUpperCase().split(/\s+/).filter(Boolean);
  const place = timeframes.indexOf(timeframe);
  return assets.filter(({ symbol, attention, cells }) => {
    const looked = place < 0 ? cells : [cells[place] ?? null];
    return words.every((word) => symbol.toUpperCase().includes(word)) &&
      (timeframe === "" || looked[0] !== null) &&
      (state === "" || looked.some((cell) => cell?.state === state)) &&
      (level < 0 || (place < 0 ? attention : looked[0]!.attention) === level);
  });
}

/** The first that are shown of what has to be looked at. */
const FIRST = 6;

function Looks({ fleet: { look, looks } }: { fleet: Fleet }) {
  const [all, setAll] = useState(false);
  const shown = all ? look : look.slice(0, FIRST);
  return (
    <section aria-labelledby="looks">
      <h2 id="looks">
        Needs attention <span class="count">{looks}</span>
      </h2>
      <ul class="looks">
        {shown.map((item) => <Look key={`${item.symbol} ${item.timeframe} ${item.state}`} {...item} />)}
      </ul>
      {look.length > FIRST && (
        <button type="button" class="quiet more" onClick={() => setAll(!all)}>
          {all ? "Show less" : `Show ${look.length < looks ? `${look.length} of ${looks}` : `all ${looks}`}`}
        </button>
      )}
    </section>
  );
}

function Look({ symbol, timeframe, attention, words, lag, explanation }: FleetLook) {
  const { zone } = useApp();
  const name = symbol === "*" ? "all" : `${symbol} ${timeframe === "*" ? "" : timeframe}`;
  return (
    <li class={`look a${attention}`}>
      <span class={`badge a${attention}`}>{LEVELS[attention]}</span>
      {symbol === "*"
        ? <a class="name" href="#/health">{name}</a>
        : <a class="name" href={assetLink(symbol, timeframe === "*" ? "5m" : timeframe)}>{name}</a>}
      <span class="words">{words}{lag !== null && lag > 0 && <span class="lag">{formatDuration(lag)}</span>}</span>
      <span class="explanation" title={localize(explanation, zone)}>{localize(explanation, zone)}</span>
    </li>
  );
}

/** Height of a row of tiles with its gap, and the least width of a tile, in CSS pixels. As in dashboard.css. */
const ROW = 62;
const WIDTH = 220;
/** Rows that are rendered above and below what is visible. */
const MARGIN = 4;

let active = 0;

/** Every asset in a grid of which only the rows in sight are rendered. */
function Tiles({ assets, fleet }: { assets: FleetAsset[]; fleet: Fleet }) {
  const grid = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ columns: 1, from: 0, to: 40, moves: 0 });
  const measure = useCallback((moves = 0) => {
    if (!grid.current) return;
    const { top, width } = grid.current.getBoundingClientRect();
    const columns = Math.max(1, Math.floor((width + 6) / (WIDTH + 6)));
    const from = Math.max(0, Math.floor(-top / ROW) - MARGIN);
    const to = Math.ceil((innerHeight - top) / ROW) + MARGIN;
    setView((last) =>
      moves === 0 && last.columns === columns && last.from === from && last.to === to
        ? last
        : { columns, from, to, moves: last.moves + moves }
    );
  }, []);
  useLayoutEffect(() => {
    const look = () => measure();
    look();
    const observer = new ResizeObserver(look);
    observer.observe(grid.current!);
    observer.observe(document.body);
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      observer.disconnect();
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, []);
  // The tile that the keys have moved to is rendered by then.
  useLayoutEffect(() => {
    if (view.moves > 0) focusTile(active);
  }, [view.moves]);
  const { columns, from, to } = view;
  if (active >= assets.length) active = 0;
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      Home: -assets.length,
      End: assets.length,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = active + step;
    if (Math.abs(step) < assets.length && (next < 0 || next >= assets.length)) return;
    active = Math.max(0, Math.min(assets.length - 1, next));
    const top = grid.current!.getBoundingClientRect().top + Math.floor(active / columns) * ROW;
    if (top < 60) scrollBy(0, top - 60);
    else if (top + ROW > innerHeight) scrollBy(0, top + ROW - innerHeight);
    measure(1);
  };
  const rows = Math.ceil(assets.length / columns);
  const first = Math.min(from, rows) * columns;
  return (
    <div ref={grid} class="tiles" style={{ height: `${rows * ROW}px` }} onKeyDown={move}>
      <ul style={{ top: `${Math.min(from, rows) * ROW}px`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
        {assets.slice(first, Math.min(to, rows) * columns).map((asset, index) => (
          <Tile key={asset.symbol} asset={asset} place={first + index} fleet={fleet} />
        ))}
      </ul>
    </div>
  );
}

/** How far behind a task is: 0 less than two of its windows, 1 less than twelve, 2 more. */
function gradeOf({ timeframe, lag }: FleetCell): number {
  const windows = (lag ?? 0) / secondsOfTimeframe(timeframe);
  return windows < 2 ? 0 : windows < 12 ? 1 : 2;
}

function focusTile(place: number): void {
  document.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus();
}

function Tile({ asset, place, fleet }: { asset: FleetAsset; place: number; fleet: Fleet }) {
  const { symbol, attention, cells } = asset;
  const worst = cells.reduce<FleetCell | null>((worst, cell) => {
    if (cell === null) return worst;
    return worst === null || cell.attention > worst.attention ||
        cell.attention === worst.attention && (cell.lag ?? 0) > (worst.lag ?? 0)
      ? cell
      : worst;
  }, null);
  // Of an alert that no task stands for.
  const alert = attention > (worst?.attention ?? 0) && fleet.look.find((look) => look.symbol === symbol);
  const said = alert
    ? alert.words
    : worst && (worst.attention > 0 || worst.state === "market_closed")
    ? fleet.states[worst.state]
    : "";
  const lag = said === "" ? null : alert ? alert.lag : worst!.lag;
  return (
    <li class={`tile a${attention}`}>
      <a
        class="symbol"
        href={assetLink(symbol, worst?.timeframe ?? "5m")}
        data-place={place}
        tabIndex={place === active ? 0 : -1}
        onFocus={() => active = place}
        aria-label={`${symbol}, ${LEVELS[attention]}${said ? `, ${said}` : ""}`}
      >
        {symbol}
      </a>
      <span class="said">{said}{lag ? ` ${formatDuration(lag)}` : ""}</span>
      <span class="cells">
        {cells.map((cell, place) =>
          cell === null ? <span key={place} class="cell none" /> : (
            <a
              key={place}
              class={`cell a${cell.attention} s-${cell.state} lag-${gradeOf(cell)}`}
              href={assetLink(symbol, cell.timeframe)}
              tabIndex={-1}
              title={`${symbol} ${cell.timeframe}: ${fleet.states[cell.state]}${
                cell.lag ? `, ${formatDuration(cell.lag)} behind` : ""
              }`}
            >
              {cell.timeframe}
            </a>
          )
        )}
      </span>
    </li>
  );
}
