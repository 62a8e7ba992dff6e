begin;
select plan(3);

select is(
  (
    select jsonb_object_agg(a.attname, trim(both '''' from split_part(pg_get_expr(d.adbin, d.adrelid), '::', 1)))
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = 'public.data_agg_state'::regclass
      and a.attname in ('aggregation_delay_seconds', 'agg_start_utc', 'good_percent', 'poor_percent')
  ),
  (
    select jsonb_build_object(
      'agg_start_utc', f.start_utc::text, 'aggregation_delay_seconds', f.delay_seconds::text,
      'good_percent', f.good_percent::text, 'poor_percent', f.poor_percent::text
    )
    from agg.defaults as f
  ),
  'defaults of columns of data_agg_state are those of agg.defaults'
);
select matches(
  pg_get_function_arguments('public.sync_agg_state_from_registry'::regproc),
  (select format('p_default_start_utc timestamp with time zone DEFAULT ''%s''', replace(f.start_utc::text, '+', '\+')) from agg.defaults as f),
  'so is the default start of a sync'
);
select matches(
  (select pg_get_constraintdef(c.oid) from pg_catalog.pg_constraint as c where c.conname = 'data_bars_ts_in_range'),
  (select replace(format('>= ''%s''.*< ''%s''', f.least_utc, f.end_utc), '+', '\+') from agg.defaults as f),
  'the check of data_bars has the bounds of agg.defaults'
);
select * from finish();
rollback;
