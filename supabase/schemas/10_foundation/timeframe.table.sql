comment on table agg.timeframe is
  'The one list of timeframes: how long each is, what its bars are built from (null for 1m, which is ingested or synthetic) and whether every active asset has it. Windows of up to an hour are aligned in UTC, longer ones on the clock of the asset (metadata.agg.day_close); where these do not hold whole windows of source_timeframe, they are built from 5m. A further timeframe is a further row. Order timeframes by duration, never by name. agg.check_timeframe says which rows can work.';

create table agg.timeframe (
  timeframe text not null,
  duration interval not null,
  source_timeframe text,
  is_mandatory boolean not null,
  constraint timeframe_pkey primary key (timeframe),
  constraint timeframe_duration_key unique (duration),
  constraint timeframe_source_fkey foreign key (source_timeframe) references agg.timeframe (timeframe),
  constraint timeframe_duration_positive check (duration > interval '0')
);

create index timeframe_source_idx on agg.timeframe (source_timeframe);

alter table agg.timeframe enable row level security;

create policy service_role_reads on agg.timeframe for select to service_role using (true);

-- Hours, never days: the length of a day of timestamptz depends on the time zone of the session.
insert into agg.timeframe (timeframe, duration, source_timeframe, is_mandatory) values
  ('1m', interval '1 minute', null, false),
  ('5m', interval '5 minutes', '1m', true),
  ('15m', interval '15 minutes', '5m', false),
  ('30m', interval '30 minutes', '5m', false),
  ('1h', interval '1 hour', '5m', true),
  ('4h', interval '4 hours', '1h', false),
  ('1d', interval '24 hours', '1h', false),
  ('1w', interval '168 hours', '1h', false);
