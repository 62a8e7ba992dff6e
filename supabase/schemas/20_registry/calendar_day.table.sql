comment on table agg.calendar_day is
  'What differs from the weekly session on a trading day of a calendar. First it is closed or cut, then special openings are added.';
comment on column agg.calendar_day.day is 'The date on which the trading day ends, or on which it lies.';
comment on column agg.calendar_day.kind is
  'closed: the whole trading day. early_close: closed from closes_at on. late_opening: closed before opens_at. special_opening: open from opens_at to closes_at, whatever the session says.';
comment on column agg.calendar_day.opens_at is 'Local time within the trading day.';
comment on column agg.calendar_day.closes_at is 'Local time within the trading day; that at which the day begins stands for its end.';

create table agg.calendar_day (
  calendar_day_id bigint generated always as identity,
  calendar text not null,
  day date not null,
  kind text not null,
  opens_at time,
  closes_at time,
  constraint calendar_day_pkey primary key (calendar_day_id),
  constraint calendar_day_key unique nulls not distinct (calendar, day, kind, opens_at),
  constraint calendar_day_calendar_fkey foreign key (calendar) references agg.calendar (name) on delete cascade,
  constraint calendar_day_kind_check check (kind in ('closed', 'early_close', 'late_opening', 'special_opening')),
  constraint calendar_day_times_check check (
    (opens_at is not null) = (kind in ('late_opening', 'special_opening'))
    and (closes_at is not null) = (kind in ('early_close', 'special_opening'))
  )
);

alter table agg.calendar_day enable row level security;

create policy service_role_reads on agg.calendar_day for select to service_role using (true);
