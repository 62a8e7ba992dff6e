begin;
select plan(23);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;

create function pg_temp.refusal(p_sql text) returns text
language plpgsql as $$
begin
  execute p_sql;
  return 'accepted';
exception when invalid_parameter_value or object_in_use then
  return sqlerrm;
end;
$$;
create function pg_temp.add(p_name text, p_length interval, p_source text) returns text
language sql as $$
  select pg_temp.refusal(format('insert into agg.timeframe values (%L, %L, %L, false)', p_name, p_length, p_source));
$$;

select is(pg_temp.add('1mo', '1 month', '1h'), 'timeframe 1mo of 1 mon cannot work: a month has no fixed length', 'a month is refused');
select is(
  pg_temp.add('1y', '1 year', '1h'), 'timeframe 1y of 1 year cannot work: a month has no fixed length', 'so is a year'
);
select is(
  pg_temp.add('30s', '30 seconds', '1m'), 'timeframe 30s of 00:00:30 cannot work: its length must be one or more whole minutes',
  'so are seconds'
);
select is(
  pg_temp.add('90s', '90 seconds', '1m'), 'timeframe 90s of 00:01:30 cannot work: its length must be one or more whole minutes',
  'so is a minute and a half'
);
select is(
  pg_temp.add('0m', '0', '1m'), 'timeframe 0m of 00:00:00 cannot work: its length must be one or more whole minutes', 'so is no time'
);
select is(
  pg_temp.add('7m', '7 minutes', '1m'), 'timeframe 7m of 00:07:00 cannot work: its length must divide a day', 'so is what does not divide a day'
);
select is(
  pg_temp.add('1w', '7 days', '1h'), 'timeframe 1w of 7 days cannot work: its length must divide a day', 'so is what is longer than a day'
);
select is(
  pg_temp.add('90m', '90 minutes', '1h'), 'timeframe 90m of 01:30:00 cannot work: its length must be a multiple of its source 1h',
  'so is what is not a multiple of its source'
);
select is(
  pg_temp.add('15m', '15 minutes', '1h'), 'timeframe 15m of 00:15:00 cannot work: its length must be a multiple of its source 1h',
  'so is what is shorter than its source'
);
select is(
  pg_temp.add('15m', '15 minutes', '10m'), 'timeframe 15m of 00:15:00 cannot work: its source 10m is not a timeframe',
  'so is a source that is not there'
);
select is(
  pg_temp.add('15m', '15 minutes', null),
  'timeframe 15m of 00:15:00 cannot work: 1m is built from no other timeframe, and every other timeframe from one',
  'so is one without a source'
);
select is(
  pg_temp.add('30m', '30 minutes', '5m'),
  'timeframe 30m of 00:30:00 cannot work: the tables of bars know no timeframes but 1m, 5m, 15m, 1h, 4h, 1d',
  'so is a name that the tables of bars do not know'
);
select is(
  pg_temp.add('4h', '2 hours', '1h'), 'timeframe 4h of 02:00:00 cannot work: the tables of bars take it for 240 minutes',
  'so is a name for another length'
);
select results_eq(
  $$ select t.timeframe from agg.timeframe as t order by t.duration $$, array['1m', '5m', '1h'], 'nothing of these is stored'
);

select is(pg_temp.add('15m', '15 minutes', '5m'), 'accepted', '15m from 5m is accepted');
select is(
  pg_temp.refusal($$ update agg.timeframe as t set source_timeframe = '1m' where t.timeframe = '15m' $$), 'accepted',
  'and may change while it is not in use'
);
select is(
  pg_temp.refusal($$ delete from agg.timeframe as t where t.timeframe = '5m' $$),
  'timeframe 5m cannot be deleted: other timeframes refer to it', 'what another is built from cannot be deleted'
);

insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ('ACME', true, '{"agg": {"optional": ["15m"]}}');
select is(
  pg_temp.refusal($$ delete from agg.timeframe as t where t.timeframe = '15m' $$),
  'timeframe 15m cannot be deleted: tasks refer to it', 'what has tasks cannot be deleted'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set timeframe = '4h', duration = '4 hours' where t.timeframe = '15m' $$),
  'timeframe 15m cannot be changed: tasks refer to it', 'nor renamed'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set is_mandatory = true where t.timeframe = '15m' $$), 'accepted', 'but become mandatory'
);
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles,
  covered_minutes, expected_minutes, quality_score
) values ('ACME', '15m', '2025-07-01 00:00+00', 1, 1, 1, 1, '1m', 15, 15, 15, 15, 2);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set source_timeframe = '5m' where t.timeframe = '15m' $$),
  'timeframe 15m cannot be changed: bars refer to it', 'what has bars cannot be changed'
);
select is(
  pg_temp.refusal('truncate agg.timeframe'), 'agg.timeframe cannot be truncated: tasks and bars refer to it', 'the table cannot be truncated'
);

-- The names that the trigger knows are those of the checks.
select results_eq(
  $$
    select distinct regexp_replace(pg_get_constraintdef(c.oid), '''1m''::text, |^.*ARRAY\[|\].*$', '', 'g')
    from pg_catalog.pg_constraint as c
    where c.conname in ('derived_data_bars_timeframe_check', 'data_agg_state_timeframe_check', 'data_agg_state_source_timeframe_check')
  $$,
  array['''5m''::text, ''15m''::text, ''1h''::text, ''4h''::text, ''1d''::text'],
  'the tables of bars know the names that agg.check_timeframe() lists'
);

select * from finish();
rollback;
