comment on schema agg is
  'The engine room of pgbars: window rule, planning, dispatcher, run log, alerts. Not exposed over the Data API.';

create schema agg;
