import { Dialog } from "./dialog.tsx";

const KEYS: [string, string][] = [
  ["f, h", "fleet, health"],
  ["/", "search the fleet"],
  ["arrow keys", "move between assets, and between bars of a chart"],
  ["Enter", "open the asset"],
  ["1 to 9", "timeframes of the asset"],
  ["Home, End", "the first and the last bar that are loaded"],
  ["+, -", "zoom the chart"],
  ["Esc", "forget the bar, then back to the fleet"],
  ["?", "this page"],
];

export function Help({ onClose, url, onChange }: { onClose(): void; url: string; onChange(): void }) {
  return (
    <Dialog title="Help" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p>
        Project: {url} <button type="button" class="quiet" onClick={onChange}>Change</button>
      </p>
      <p class="notice">
        TradingView Lightweight Charts™, Copyright (c) 2025 TradingView, Inc.{" "}
        <a href="https://www.tradingview.com/">https://www.tradingview.com/</a>
      </p>
    </Dialog>
  );
}
