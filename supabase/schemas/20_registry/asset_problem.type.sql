comment on type agg.asset_problem is
  'Something in the metadata of an asset that this version does not understand, and what is left out for it: key (the key is ignored), series (its 1m bars are not computed), asset (its tasks stay as they are).';

create type agg.asset_problem as (
  canonical_symbol text,
  problem text,
  leaves_out text
);
