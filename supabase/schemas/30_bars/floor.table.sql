comment on table agg.floor is
  'Bars of a symbol and a timeframe that are not kept: those before floor_utc (metadata.agg.keep). Raised and never lowered by agg_maintain, which then removes what lies behind. Tasks that make or read these bars start at it, so that nothing behind it is built again; minutes behind it are refused.';

create table agg.floor (
  canonical_symbol text not null,
  timeframe text not null,
  floor_utc timestamptz not null,
  constraint floor_pkey primary key (canonical_symbol, timeframe)
);

-- Every insert of bars asks for the latest floor, and for no other where its first bar lies behind none.
create index floor_latest_idx on agg.floor (timeframe, floor_utc);

alter table agg.floor enable row level security;

create policy service_role_reads on agg.floor for select to service_role using (true);
