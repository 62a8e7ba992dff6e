comment on view agg.bar_symbol is
'Every symbol that data_bars has a bar of, from symbol to symbol: one probe of the key for each, however many bars it has.';

create view agg.bar_symbol with (security_invoker = true) as
with recursive symbol as (
  (select b.canonical_symbol from public.data_bars as b order by b.canonical_symbol limit 1)
  union all
  select n.canonical_symbol
  from symbol as s
  cross join lateral (
    select b.canonical_symbol from public.data_bars as b where b.canonical_symbol > s.canonical_symbol order by b.canonical_symbol limit 1
  ) as n
)
select s.canonical_symbol from symbol as s;
