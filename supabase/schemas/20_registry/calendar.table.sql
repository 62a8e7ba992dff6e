comment on table agg.calendar is
  'Calendars: dated exceptions to weekly sessions, that metadata.agg.calendar names. XNYS and FX come with an installation; import_calendar makes others.';
comment on column agg.calendar.time_zone is 'The zone of all local times of the calendar.';
comment on column agg.calendar.day_start is
  'The local time at which a trading day begins: from 12:00 on on the date before it, otherwise on its date. So a trading day of FX ends at 17:00 of its date.';

create table agg.calendar (
  name text not null,
  time_zone text not null,
  day_start time not null default '00:00',
  constraint calendar_pkey primary key (name),
  constraint calendar_name_check check (name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$'),
  constraint calendar_day_start_check check (day_start < '24:00' and date_trunc('minute', day_start::interval) = day_start::interval)
);

alter table agg.calendar enable row level security;

create policy service_role_reads on agg.calendar for select to service_role using (true);
