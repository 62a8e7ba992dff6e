comment on function agg.implied_basket is
  'The basket that metadata.derivation_method implies, as metadata would give it; null for a method that implies none.';

create function agg.implied_basket(p_method text)
returns jsonb
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case p_method
    when 'calc_dxy_range_1m' then '{
      "components": ["EURUSD", "USDJPY", "GBPUSD", "USDCAD", "USDSEK", "USDCHF"],
      "component_weights": {
        "EURUSD": -0.576, "USDJPY": 0.136, "GBPUSD": -0.119, "USDCAD": 0.091, "USDSEK": 0.042, "USDCHF": 0.036
      },
      "formula_base": 50.14348112,
      "derivation_version": 1
    }'::jsonb
  end;
$$;
