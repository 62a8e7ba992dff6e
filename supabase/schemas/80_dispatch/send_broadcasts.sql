comment on function agg.send_broadcasts is
'Sends the bars of agg.broadcast_note by Realtime, as they are stored now, and takes the notes. Returns how many messages it sent. The dispatch jobs call it after each batch, when that has committed.
Topic bars:TIMEFRAME, private; event bars. A message holds timeframe, revision (one more than that of the message before), columns, and bars: arrays in the order of columns, of which one that ends after ts_utc is a bar that is gone. A message has at most 200 KB of bars.
Of a timeframe of which more than p_max_bars changed, it sends no bars but reload: symbols with the first and the last start of what changed, to be read again.
Realtime reports no failure of a message: a reader that misses a revision reads again. Without realtime.send it warns, and the notes go.
Locks: waits for another call, so that revisions go out in their order.';

create function agg.send_broadcasts(p_max_bars integer default 20000)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
-- Every bar is looked up by its key, whatever the planner assumes about the notes.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_message record;
  v_revision bigint;
  v_sent integer := 0;
begin
  if not exists (select from agg.broadcast_note) then
    return 0;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('pgbars.send_broadcasts', 0));
  for v_message in
    -- One snapshot for notes and bars: what has a note in it is in it.
    with taken as (
      delete from agg.broadcast_note as n returning n.timeframe, n.symbols, n.starts_utc
    ),
    changed as materialized (
      select distinct t.timeframe, u.symbol, u.ts_utc
      from taken as t
      join agg.broadcast as c on c.timeframe = t.timeframe
      cross join unnest(t.symbols, t.starts_utc) as u (symbol, ts_utc)
    ),
    size as (
      select c.timeframe, count(*) <= p_max_bars as is_small from changed as c group by c.timeframe
    ),
    item as (
      select
        c.timeframe, 'bars' as key, c.symbol, c.ts_utc,
        case
          when d.ts_utc is null then jsonb_build_array(c.symbol, to_char(c.ts_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
          else jsonb_build_array(
            c.symbol, to_char(c.ts_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
            d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, d.updated_at
          )
        end as value
      from changed as c
      join size as s on s.timeframe = c.timeframe and s.is_small
      left join public.derived_data_bars as d
        on d.canonical_symbol = c.symbol and d.timeframe = c.timeframe and d.ts_utc = c.ts_utc and d.deleted_at is null
      union all
      select
        c.timeframe, 'reload', c.symbol, null,
        jsonb_build_array(
          c.symbol, to_char(min(c.ts_utc), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), to_char(max(c.ts_utc), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        )
      from changed as c
      join size as s on s.timeframe = c.timeframe and not s.is_small
      group by c.timeframe, c.symbol
    ),
    part as (
      select
        i.timeframe, i.key, i.symbol, i.ts_utc, i.value,
        sum(octet_length(i.value::text) + 2) over (partition by i.timeframe order by i.symbol, i.ts_utc) / 200000 as part
      from item as i
    )
    select p.timeframe, p.key, jsonb_agg(p.value order by p.symbol, p.ts_utc) as value
    from part as p
    group by p.timeframe, p.key, p.part
    order by p.timeframe, p.part
  loop
    update agg.broadcast as c set revision = c.revision + 1 where c.timeframe = v_message.timeframe returning c.revision into v_revision;
    begin
      execute format('select realtime.send($1, %L, %L, true)', 'bars', 'bars:' || v_message.timeframe) using
        jsonb_build_object('timeframe', v_message.timeframe, 'revision', v_revision, v_message.key, v_message.value)
          || case when v_message.key = 'bars' then '{
            "columns": ["canonical_symbol", "ts_utc", "open", "high", "low", "close", "vol", "vwap", "trade_count", "quality_score",
              "covered_minutes", "expected_minutes", "is_partial", "updated_at"]
          }'::jsonb else '{}' end;
      v_sent := v_sent + 1;
    exception when others then
      raise warning 'bars of % could not be broadcast: % (%)', v_message.timeframe, sqlerrm, sqlstate;
    end;
  end loop;
  return v_sent;
end;
$$;
