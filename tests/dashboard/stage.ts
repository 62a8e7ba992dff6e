import type { Database } from "../../scripts/lib/database.ts";

/** What the tests see: how many hours of minutes there are, up to now. */
const HOURS = 30;

/**
 * Registers a small market and stores its minutes up to now, with an outage, thin hours, a closed session and a late
 * correction; a hundred more assets have a few bars only. Opens all of it to `authenticated`.
 */
export async function setStage(db: Database): Promise<void> {
  await db.exec(`
    update public.core_asset_registry_all set active = false;
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    select a.symbol, true, jsonb_build_object('agg', jsonb_build_object(
      'start_utc', to_char(now() - interval '${HOURS} hours', 'YYYY-MM-DD"T"HH24:00:00"Z"'), 'optional', a.optional
    ) || a.more)
    from (
      values
        ('EURUSD', '["15m", "4h", "1d"]'::jsonb, '{}'::jsonb), ('BTCUSD', '["15m", "1d"]', '{}'), ('XAUUSD', '[]', '{}'), ('STALE', '[]', '{"max_silence": "30 minutes"}'),
        ('SESSION', '["15m"]', (
          select jsonb_build_object('session', jsonb_build_object('time_zone', 'UTC', 'weekly', jsonb_agg(jsonb_build_object(
            'open', d.day || ' ' || h.opens, 'close', d.day || ' ' || h.closes
          ))))
          from unnest(array['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']) as d (day)
          cross join (values ('00:00', '04:00'), ('06:00', '10:00'), ('12:00', '16:00'), ('18:00', '22:00')) as h (opens, closes)
        ))
    ) as a (symbol, optional, more)
    union all
    select 'TKR' || lpad(n::text, 3, '0'), true, jsonb_build_object('agg', jsonb_build_object(
      'start_utc', to_char(now() - interval '2 hours', 'YYYY-MM-DD"T"HH24:00:00"Z"')
    ))
    from generate_series(1, 100) as n;

    select setseed(0.3);
    create temporary table walk as
    select
      a.symbol, m.ts_utc, a.price * exp(a.step * sum(random() - 0.5) over (partition by a.symbol order by m.ts_utc)) as close, a.price * a.step as size,
      a.decimals, round((20 + 400 * random() ^ 3)::numeric, 1) as vol
    from (
      values ('EURUSD', 1.0812, 0.0004, 5), ('BTCUSD', 97250, 0.0016, 1), ('XAUUSD', 2641.5, 0.0008, 2), ('STALE', 18.25, 0.002, 2), ('SESSION', 402.1, 0.001, 2)
    ) as a (symbol, price, step, decimals)
    cross join generate_series(date_trunc('minute', now()) - interval '${HOURS} hours', date_trunc('minute', now()) - interval '1 minute', interval '1 minute') as m (ts_utc)
    -- A feed that is dead, an outage, an hour with few minutes.
    where not (a.symbol = 'STALE' and m.ts_utc > now() - interval '3 hours')
      and not (a.symbol = 'EURUSD' and m.ts_utc between now() - interval '170 minutes' and now() - interval '118 minutes')
      and not (a.symbol in ('EURUSD', 'BTCUSD') and m.ts_utc between now() - interval '9 hours' and now() - interval '7 hours' and random() < 0.22);
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
    select
      b.symbol, b.ts_utc, b.open, greatest(b.open, b.close) + b.up, least(b.open, b.close) - b.down, b.close, b.vol
    from (
      select
        w.symbol, w.ts_utc, w.vol, round(w.close::numeric, w.decimals) as close,
        round(coalesce(lag(w.close) over (partition by w.symbol order by w.ts_utc), w.close)::numeric, w.decimals) as open,
        round((random() * w.size * 0.3)::numeric, w.decimals) as up, round((random() * w.size * 0.3)::numeric, w.decimals) as down
      from walk as w
    ) as b;
    drop table walk;
    -- A volume that no chart can draw.
    update public.data_bars set vol = 1e15 where canonical_symbol = 'XAUUSD' and ts_utc = date_trunc('hour', now()) - interval '90 minutes';
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
    select 'TKR' || lpad(n::text, 3, '0'), m.ts_utc, 10, 11, 9, 10.5, 100
    from generate_series(1, 100) as n
    cross join generate_series(date_trunc('hour', now()) - interval '2 hours', date_trunc('minute', now()) - interval '1 minute', interval '1 minute') as m (ts_utc)
    where n % 20 <> 7 or m.ts_utc < now() - interval '80 minutes';

    select public.agg_run_due();
    select public.grant_read_access('authenticated');
    select public.grant_operations_access('authenticated');
  `);
  await db.exec("select public.agg_maintain(); select public.agg_run_due();");
  await correct(db);
}

/** Lets a minute of EURUSD come late, with the highest price of its bars. */
export async function correct(db: Database): Promise<void> {
  await db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
    select 'EURUSD', date_bin('5 minutes', now() - interval '40 minutes', '2000-01-01') + interval '2 minutes', b.close, b.close * 1.003, b.close, b.close, 900
    from public.data_bars as b
    where b.canonical_symbol = 'EURUSD'
    order by b.ts_utc desc
    limit 1
    on conflict (canonical_symbol, timeframe, ts_utc) do update set high = excluded.high, vol = excluded.vol, open = excluded.open, close = excluded.close, low = excluded.low;
    select public.agg_run_due();
  `);
}
