begin;
select plan(2);

select results_eq(
  $$
    select e.code
    from unnest(array['08006', '40001', '40P01', '53100', '53200', '57014', '57P01', '58030', '55P03', '23505']) as e (code)
    where agg.fail_kind(e.code) <> 'transient'
    order by 1
  $$,
  'select null::text where false',
  'fail_kind() calls transient what may succeed on a retry'
);
select results_eq(
  $$
    select e.code
    from unnest(array['22003', '22023', '23502', '23514', '42P01', 'P0001', 'P0002', 'XX000', '55000']) as e (code)
    where agg.fail_kind(e.code) <> 'hard'
    order by 1
  $$,
  'select null::text where false',
  'fail_kind() calls hard what will happen again'
);

select * from finish();
rollback;
