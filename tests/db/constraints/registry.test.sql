begin;
select plan(5);

select throws_ok(
  format('insert into public.core_asset_registry_all (canonical_symbol) values (%L)', s.symbol), '23514', null, s.what || ' is not a symbol'
)
from (
  values ('', 'nothing'), (' EURUSD', 'a text with space around it'), (repeat('A', 201), 'a text of 201 characters'), (E'EUR\nUSD', 'a text of two lines')
) as s (symbol, what);
select lives_ok(
  format('insert into public.core_asset_registry_all (canonical_symbol) values (%L)', s.symbol), 'a symbol as vendors write them is accepted'
)
from (values ('BRK.B EUR/USD "Q" €' || repeat('A', 180))) as s (symbol);

select finish();
rollback;
