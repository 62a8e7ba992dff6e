comment on view agg.active_asset is 'Assets that are active in an environment: by test_active where is_test (see agg.is_test), otherwise by active. The one place that says so.';

create view agg.active_asset with (security_invoker = true) as
select r.canonical_symbol, e.is_test
from public.core_asset_registry_all as r
cross join lateral (values (false, r.active), (true, r.test_active)) as e (is_test, is_active)
where e.is_active;
