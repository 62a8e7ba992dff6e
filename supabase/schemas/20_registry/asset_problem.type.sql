comment on type agg.asset_problem is 'Something in the metadata of an asset that keeps it from being synced and built.';

create type agg.asset_problem as (
  canonical_symbol text,
  problem text
);
