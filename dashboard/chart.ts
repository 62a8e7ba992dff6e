import {
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type IPrimitivePaneRenderer,
  type ISeriesApi,
  type ISeriesPrimitive,
  LineSeries,
  LineStyle,
  type LogicalRange,
  TickMarkType,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import type { ReadBar } from "../client/mod.ts";
import { dateFormat, decimalsOf, formatDuration, formatTime, formatVolume, type Zone } from "./format.ts";

/** What is drawn: windows in order of time, those without a bar included. */
export interface Picture {
  bars: readonly ReadBar[];
  /** Starts of the windows whose bar was corrected, in milliseconds. */
  corrected: ReadonlySet<number>;
  /** The usual length of a window, in seconds. */
  length: number;
}

export interface ChartEvents {
  /** The pointer is over a window, or has left. */
  onHover(ts: number | null): void;
  onSelect(ts: number): void;
  /** The user has come near the first window that is loaded. */
  onNearStart(): void;
}

/** Values beyond this cannot be drawn. */
const MAX_VALUE = 9e13;

/** Windows from the left edge at which older ones are asked for. */
const NEAR = 30;

const secondOf = (ts: number) => ts / 1000 as UTCTimestamp;

/** Candles, volume and what is known of each window, drawn by Lightweight Charts. */
export class BarChart {
  readonly #chart: IChartApi;
  readonly #candles: ISeriesApi<"Candlestick">;
  readonly #volume: ISeriesApi<"Histogram">;
  /** Has every window, so that those without a bar keep their place; live updates need it to be a series of its own. */
  readonly #windows: ISeriesApi<"Line">;
  readonly #notes: WindowNotes;
  /** The last price: the chart's own line has the colour of a bar that may be hollow. */
  readonly #last: IPriceLine;
  readonly #element: HTMLElement;
  #picture: Picture = { bars: [], corrected: new Set(), length: 60 };
  #drawn: readonly ReadBar[] = [];
  #zone: Zone = "UTC";

  constructor(element: HTMLElement, events: ChartEvents) {
    this.#element = element;
    this.#chart = createChart(element, {
      autoSize: true,
      crosshair: { mode: 0 },
      timeScale: { timeVisible: true, rightOffset: 4, minBarSpacing: 1 },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.26 } },
    });
    this.#windows = this.#chart.addSeries(LineSeries, {
      priceScaleId: "windows",
      lastValueVisible: false,
      priceLineVisible: false,
      crosshairMarkerVisible: false,
    });
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "custom", formatter: formatVolume, minMove: 0.001 },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.8, bottom: 0.03 } });
    this.#candles = this.#chart.addSeries(CandlestickSeries, { lastValueVisible: false, priceLineVisible: false });
    this.#last = this.#candles.createPriceLine({
      price: 0,
      lineWidth: 1,
      lineStyle: LineStyle.Dotted,
      axisLabelVisible: true,
    });
    this.#notes = new WindowNotes(this.#chart);
    this.#windows.attachPrimitive(this.#notes);
    this.#chart.subscribeCrosshairMove(({ time }) => events.onHover(time === undefined ? null : Number(time) * 1000));
    this.#chart.subscribeClick(({ time }) => time !== undefined && events.onSelect(Number(time) * 1000));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < NEAR && this.#drawn.length > 0) events.onNearStart();
    });
    this.setTheme();
  }

  /** Draws another picture. The first one of a series is shown from its end. */
  setPicture(picture: Picture, isOther: boolean): void {
    const { bars } = this.#picture = picture;
    const colors = readColors(this.#element);
    const change = isOther ? -1 : firstChange(this.#drawn, bars);
    this.#notes.set(picture, colors);
    // A series takes no update behind its last bar.
    if (change < 0 || change < this.#drawn.length - 1 || bars.length - change > 5) {
      const decimals = decimalsOf(bars.slice(-300).flatMap(({ open, close }) => [open, close]));
      this.#candles.applyOptions({
        priceFormat: { type: "price", precision: decimals, minMove: Number((10 ** -decimals).toFixed(decimals)) },
      });
      this.#windows.setData(bars.map(({ ts_utc }) => ({ time: secondOf(ts_utc.getTime()) })));
      this.#candles.setData(bars.filter(isDrawn).map((bar) => candleOf(bar, colors)));
      this.#volume.setData(bars.filter(hasVolume).map((bar) => volumeOf(bar, colors)));
    } else {
      for (const bar of bars.slice(change)) {
        this.#windows.update({ time: secondOf(bar.ts_utc.getTime()) });
        if (isDrawn(bar)) this.#candles.update(candleOf(bar, colors));
        if (hasVolume(bar)) this.#volume.update(volumeOf(bar, colors));
      }
    }
    const last = bars.findLast(isDrawn);
    if (last) {
      const color = last.close >= last.open ? colors.up : colors.down;
      this.#last.applyOptions({ price: last.close, color, axisLabelColor: color, axisLabelTextColor: colors.surface });
    }
    if (isOther) {
      const count = Math.max(40, Math.min(180, Math.floor(this.#element.clientWidth / 8)));
      const from = Math.max(-1, bars.length - count);
      this.#chart.timeScale().setVisibleLogicalRange({ from, to: Math.max(from + 60, bars.length + 3) });
    }
    this.#drawn = bars;
  }

  setZone(zone: Zone): void {
    this.#zone = zone;
    this.#chart.applyOptions({
      localization: { timeFormatter: (time: Time) => formatTime(new Date(Number(time) * 1000), this.#zone) },
      timeScale: { tickMarkFormatter: (time: Time, type: TickMarkType) => tickOf(Number(time), type, this.#zone) },
    });
  }

  /** Takes the colours of the page. */
  setTheme(): void {
    const colors = readColors(this.#element);
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colors.surface },
        textColor: colors.muted,
        fontFamily: getComputedStyle(this.#element).fontFamily,
      },
      grid: { vertLines: { color: colors.grid }, horzLines: { color: colors.grid } },
      timeScale: { borderColor: colors.border },
      rightPriceScale: { borderColor: colors.border },
      crosshair: { vertLine: { labelBackgroundColor: colors.label }, horzLine: { labelBackgroundColor: colors.label } },
    });
    this.#candles.applyOptions({
      upColor: colors.up,
      downColor: colors.down,
      borderUpColor: colors.up,
      borderDownColor: colors.down,
      wickUpColor: colors.up,
      wickDownColor: colors.down,
    });
    if (this.#drawn.length > 0) {
      this.#drawn = [];
      this.setPicture(this.#picture, false);
    }
  }

  /** Marks a window, and brings it into sight. */
  select(ts: number | null): void {
    this.#notes.select(ts);
    if (ts === null) return;
    const place = this.#picture.bars.findIndex(({ ts_utc }) => ts_utc.getTime() === ts);
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (place < 0 || range === null || place >= range.from && place <= range.to) return;
    const half = (range.to - range.from) / 2;
    this.#chart.timeScale().setVisibleLogicalRange({ from: place - half, to: place + half });
  }

  zoom(factor: number): void {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (range === null) return;
    const width = Math.max(10, (range.to - range.from) * factor);
    this.#chart.timeScale().setVisibleLogicalRange({ from: range.to - width, to: range.to });
  }

  remove(): void {
    this.#chart.remove();
  }
}

interface Colors {
  up: string;
  down: string;
  faded: string;
  surface: string;
  muted: string;
  border: string;
  grid: string;
  label: string;
  gap: string;
  poor: string;
  good: string;
  mark: string;
}

function readColors(element: HTMLElement): Colors {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    up: of("up"),
    down: of("down"),
    faded: of("faded"),
    surface: of("surface"),
    muted: of("muted"),
    border: of("border"),
    grid: of("grid"),
    label: of("label"),
    gap: of("gap"),
    poor: of("critical"),
    good: of("warning"),
    mark: of("accent"),
  };
}

function isDrawn({ is_filled, open, high, low, close }: ReadBar): boolean {
  return !is_filled && [open, high, low, close].every((price) => Math.abs(price) < MAX_VALUE);
}

function hasVolume({ vol, is_filled }: ReadBar): boolean {
  return !is_filled && vol !== null && vol !== 0 && Math.abs(vol) < MAX_VALUE;
}

/** A bar that is not decided yet is hollow. */
function candleOf({ ts_utc, open, high, low, close, is_forming }: ReadBar, { surface }: Colors) {
  return { time: secondOf(ts_utc.getTime()), open, high, low, close, ...(is_forming && { color: surface }) };
}

function volumeOf({ ts_utc, vol, open, close }: ReadBar, { up, down, faded }: Colors) {
  return { time: secondOf(ts_utc.getTime()), value: vol!, color: (close >= open ? up : down) + faded };
}

/** The place of the first window that differs, or -1 where the pictures begin at different windows. */
function firstChange(last: readonly ReadBar[], next: readonly ReadBar[]): number {
  if (last.length === 0 || next.length < last.length || +last[0]!.ts_utc !== +next[0]!.ts_utc) return -1;
  const place = last.findIndex((bar, place) => bar !== next[place]);
  return place < 0 ? last.length : place;
}

function tickOf(time: number, type: TickMarkType, zone: Zone): string {
  const options: Intl.DateTimeFormatOptions = type === TickMarkType.Year
    ? { year: "numeric" }
    : type === TickMarkType.Month
    ? { month: "short" }
    : type === TickMarkType.DayOfMonth
    ? { day: "numeric", month: "short" }
    : { hour: "2-digit", minute: "2-digit" };
  return dateFormat(zone, options).format(new Date(time * 1000));
}

/** Draws gaps, closed sessions, quality and corrections on the pane of the candles. */
class WindowNotes implements ISeriesPrimitive<Time> {
  readonly #chart: IChartApi;
  #update: () => void = () => {};
  #picture: Picture = { bars: [], corrected: new Set(), length: 60 };
  #colors: Colors | null = null;
  #selected: number | null = null;

  constructor(chart: IChartApi) {
    this.#chart = chart;
  }

  attached({ requestUpdate }: { requestUpdate: () => void }): void {
    this.#update = requestUpdate;
  }

  set(picture: Picture, colors: Colors): void {
    this.#picture = picture;
    this.#colors = colors;
    this.#update();
  }

  select(ts: number | null): void {
    this.#selected = ts;
    this.#update();
  }

  paneViews() {
    return (["bottom", "top"] as const).map((layer) => {
      const renderer: IPrimitivePaneRenderer = { draw: (target) => this.#draw(target, layer === "top") };
      return { zOrder: () => layer, renderer: () => renderer };
    });
  }

  /** Draws what lies below the candles, or what lies above them. */
  #draw(target: Parameters<IPrimitivePaneRenderer["draw"]>[0], isTop: boolean): void {
    const scale = this.#chart.timeScale();
    const range: LogicalRange | null = scale.getVisibleLogicalRange();
    const colors = this.#colors;
    const { bars, corrected, length } = this.#picture;
    if (range === null || colors === null || bars.length === 0) return;
    const first = Math.max(0, Math.floor(range.from) - 1);
    const last = Math.min(bars.length - 1, Math.ceil(range.to) + 1);
    if (last < first) return;
    const origin = scale.logicalToCoordinate(first as never);
    const next = scale.logicalToCoordinate(first + 1 as never);
    if (origin === null || next === null) return;
    const spacing = next - origin;
    const xOf = (place: number) => origin + (place - first) * spacing;

    target.useMediaCoordinateSpace(({ context, mediaSize: { height } }) => {
      let labelEnd = -Infinity;
      for (let place = first; place <= last; place++) {
        const bar = bars[place]!;
        const ts = bar.ts_utc.getTime();
        const left = xOf(place) - spacing / 2;
        if (bar.is_filled && !isTop) {
          context.fillStyle = colors.gap;
          context.fillRect(left, 0, spacing, height);
        }
        if (ts === this.#selected && !isTop) {
          context.fillStyle = colors.mark + "33";
          context.fillRect(left, 0, Math.max(spacing, 3), height);
        }
        // After a window whose market opens again only later.
        const before = bars[place - 1];
        const closed = before === undefined ? 0 : (ts - before.ts_utc.getTime()) / 1000 - length;
        if (closed > length / 2 && isTop) {
          context.strokeStyle = colors.muted;
          context.globalAlpha = 0.6;
          context.setLineDash([3, 3]);
          context.beginPath();
          context.moveTo(Math.round(left) + 0.5, 0);
          context.lineTo(Math.round(left) + 0.5, height);
          context.stroke();
          context.setLineDash([]);
          context.globalAlpha = 1;
          const text = `closed ${formatDuration(closed)}`;
          context.font = "10px system-ui, sans-serif";
          const width = context.measureText(text).width;
          if (left - width / 2 > labelEnd + 8) {
            context.fillStyle = colors.surface;
            context.fillRect(left - width / 2 - 3, 2, width + 6, 14);
            context.fillStyle = colors.muted;
            context.textAlign = "center";
            context.fillText(text, left, 13);
            labelEnd = left + width / 2;
          }
        }
        if (!isTop) continue;
        const body = Math.max(1, spacing * 0.8);
        if (bar.quality_score !== null && bar.quality_score < 2 && !bar.is_filled && !bar.is_forming) {
          context.fillStyle = bar.quality_score === 0 ? colors.poor : colors.good;
          context.fillRect(xOf(place) - body / 2, height - 4, body, 4);
        }
        if (corrected.has(ts)) {
          const [x, y, size] = [xOf(place), height - 12, 5];
          context.fillStyle = colors.mark;
          context.beginPath();
          context.moveTo(x, y - size);
          context.lineTo(x + size, y);
          context.lineTo(x, y + size);
          context.lineTo(x - size, y);
          context.fill();
        }
      }
    });
  }
}
