comment on function agg.metric_lines is
'One metric in Prometheus text: its help, its type and its samples, in the order of their labels. p_samples: an array of objects with value and, where the metric has labels, labels (an object). Without samples there is no line. A value that is null has no sample.
Labels escape backslash, quote and line feed.';

create function agg.metric_lines(p_name text, p_type text, p_help text, p_samples jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select format(E'# HELP %s %s\n# TYPE %s %s\n', p_name, p_help, p_name, p_type) || string_agg(
    format(E'%s%s %s\n', p_name, '{' || l.labels || '}', s.sample ->> 'value'), '' order by l.labels collate "C"
  )
  from jsonb_array_elements(p_samples) as s (sample)
  cross join lateral (
    select string_agg(
      format('%s="%s"', e.key, replace(replace(replace(e.value, '\', '\\'), '"', '\"'), E'\n', '\n')), ',' order by e.key collate "C"
    ) as labels
    from jsonb_each_text(s.sample -> 'labels') as e
  ) as l
  where s.sample ->> 'value' is not null;
$$;
