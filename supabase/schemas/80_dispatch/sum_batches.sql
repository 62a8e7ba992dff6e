comment on function agg.sum_batches is 'The sums of two batches; nulls count as 0.';

create function agg.sum_batches(p_sums agg.batch_result, p_batch agg.batch_result)
returns agg.batch_result
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  p_sums.tasks := coalesce(p_sums.tasks, 0) + coalesce(p_batch.tasks, 0);
  p_sums.windows := coalesce(p_sums.windows, 0) + coalesce(p_batch.windows, 0);
  p_sums.bars_created := coalesce(p_sums.bars_created, 0) + coalesce(p_batch.bars_created, 0);
  p_sums.bars_quality_poor := coalesce(p_sums.bars_quality_poor, 0) + coalesce(p_batch.bars_quality_poor, 0);
  p_sums.bars_corrected := coalesce(p_sums.bars_corrected, 0) + coalesce(p_batch.bars_corrected, 0);
  p_sums.failed := coalesce(p_sums.failed, 0) + coalesce(p_batch.failed, 0);
  p_sums.notes := coalesce(p_sums.notes, 0) + coalesce(p_batch.notes, 0);
  p_sums.windows_backfilled := coalesce(p_sums.windows_backfilled, 0) + coalesce(p_batch.windows_backfilled, 0);
  return p_sums;
end;
$$;
