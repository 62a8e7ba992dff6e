comment on function agg.new_changed_span is
'The one constructor of agg.changed_span.';

create function agg.new_changed_span(
  p_symbol text, p_timeframe text, p_spans tstzmultirange, p_changed_at timestamptz default now(), p_failures integer default 0
)
returns agg.changed_span
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_span agg.changed_span;
begin
  v_span.canonical_symbol := p_symbol;
  v_span.timeframe := p_timeframe;
  v_span.spans := p_spans;
  v_span.changed_at := p_changed_at;
  v_span.failures := p_failures;
  return v_span;
end;
$$;
