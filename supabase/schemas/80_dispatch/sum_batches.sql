comment on function agg.sum_batches is 'The sums of two batches.';

create function agg.sum_batches(p_sums agg.batch_result, p_batch agg.batch_result)
returns agg.batch_result
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select
    p_sums.tasks + p_batch.tasks,
    p_sums.windows + p_batch.windows,
    p_sums.bars_created + p_batch.bars_created,
    p_sums.bars_quality_poor + p_batch.bars_quality_poor,
    p_sums.bars_corrected + p_batch.bars_corrected,
    p_sums.failed + p_batch.failed,
    p_sums.notes + p_batch.notes;
$$;
