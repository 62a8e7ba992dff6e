begin;
select plan(33);

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
  pg_temp.add('7m', '7 minutes', '1m'), 'timeframe 7m of 00:07:00 cannot work: its length must divide an hour',
  'so is what does not divide an hour'
);
select is(
  pg_temp.add('5h', '5 hours', '1h'), 'timeframe 5h of 05:00:00 cannot work: its length must divide a day',
  'so are hours that do not divide a day'
);
select is(
  pg_temp.add('2d', '2 days', '1h'), 'timeframe 2d of 2 days cannot work: beyond a day its length must be whole weeks',
  'so are days that are no weeks'
);
select is(
  pg_temp.add('90m', '90 minutes', '5m'),
  'timeframe 90m of 01:30:00 cannot work: windows on a local clock must be longer than a change of the clock',
  'so is what a change of the clock may leave nothing of'
);
select is(
  pg_temp.add('4h', '4 hours', '1d'), 'timeframe 4h of 04:00:00 cannot work: its source 1d is longer than an hour',
  'so is a source whose windows are no fixed ones'
);
select is(
  pg_temp.add('2h', '2 hours', '30m'), 'timeframe 2h of 02:00:00 cannot work: its source 30m is not there for every asset',
  'so is a source that is optional'
);
select is(
  pg_temp.add('20m', '20 minutes', '1h'), 'timeframe 20m of 00:20:00 cannot work: its length must be a multiple of its source 1h',
  'so is what is shorter than its source'
);
select is(
  pg_temp.add('20m', '20 minutes', '3m'), 'timeframe 20m of 00:20:00 cannot work: its source 3m is not a timeframe',
  'so is a source that is not there'
);
select is(
  pg_temp.add('20m', '20 minutes', null),
  'timeframe 20m of 00:20:00 cannot work: 1m is built from no other timeframe, and every other timeframe from one',
  'so is one without a source'
);
select is(
  pg_temp.add('120m', '2 hours', '1h'), 'timeframe 120m of 02:00:00 cannot work: its name must be 2h, which says its length',
  'so is another name for a length'
);
select is(
  pg_temp.add('10m', '2 hours', '1h'), 'timeframe 10m of 02:00:00 cannot work: its name must be 2h, which says its length',
  'so is a name of another length'
);
select is(
  pg_temp.add('10000w', '70000 days', '1h'), 'timeframe 10000w of 70000 days cannot work: its length must be at most 9999 weeks',
  'so is a length that no name says'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set is_mandatory = false where t.timeframe = '5m' $$),
  'timeframe 5m of 00:05:00 cannot work: others are built from it, so that every asset must have it', 'what others are built from stays mandatory'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set is_mandatory = true where t.timeframe = '1m' $$),
  'timeframe 1m of 00:01:00 cannot work: minutes are ingested, and no task builds them for every asset', 'minutes become no task of every asset'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set is_mandatory = true where t.timeframe = '4h' $$), 'accepted', 'a longer one may become mandatory'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set is_mandatory = false where t.timeframe = '4h' $$), 'accepted', 'and optional again'
);
select results_eq(
  $$ select t.timeframe from agg.timeframe as t order by t.duration $$, array['1m', '5m', '15m', '30m', '1h', '4h', '1d', '1w'],
  'nothing of these is stored'
);
select is(agg.timeframe_list(), '1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w', 'timeframe_list() names them by their length');

select is(pg_temp.add('20m', '20 minutes', '5m'), 'accepted', '20m from 5m is accepted');
select is(
  pg_temp.refusal($$ update agg.timeframe as t set source_timeframe = '1m' where t.timeframe = '20m' $$), 'accepted',
  'and may change while it is not in use'
);
select is(
  pg_temp.refusal($$ delete from agg.timeframe as t where t.timeframe = '5m' $$),
  'timeframe 5m cannot be deleted: other timeframes refer to it', 'what another is built from cannot be deleted'
);

insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ('ACME', true, '{"agg": {"optional": ["20m"]}}');
select is(
  pg_temp.refusal($$ delete from agg.timeframe as t where t.timeframe = '20m' $$),
  'timeframe 20m cannot be deleted: tasks refer to it', 'what has tasks cannot be deleted'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set timeframe = '2h', duration = '2 hours' where t.timeframe = '20m' $$),
  'timeframe 20m cannot be changed: tasks refer to it', 'nor renamed'
);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set is_mandatory = true where t.timeframe = '20m' $$), 'accepted', 'but become mandatory'
);
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles,
  covered_minutes, expected_minutes, quality_score
) values ('ACME', '20m', '2025-07-01 00:00+00', 1, 1, 1, 1, '1m', 20, 20, 20, 20, 2);
select is(
  pg_temp.refusal($$ update agg.timeframe as t set source_timeframe = '5m' where t.timeframe = '20m' $$),
  'timeframe 20m cannot be changed: bars refer to it', 'what has bars cannot be changed'
);
select is(
  pg_temp.refusal('truncate agg.timeframe'), 'agg.timeframe cannot be truncated: tasks and bars refer to it', 'the table cannot be truncated'
);

select is(pg_temp.add('2w', '14 days', '1h'), 'accepted', 'two weeks are accepted');
select is(
  (select t.duration::text from agg.timeframe as t where t.timeframe = '2w'), '336:00:00', 'and kept in hours, which no time zone changes'
);

select * from finish();
rollback;
