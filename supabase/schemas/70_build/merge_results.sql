comment on function agg.merge_results is
'The result of a symbol''s request out of those of its two halves in time. It has failed where no bar could be built: to have decided windows without a bar is no success.';

create function agg.merge_results(p_first agg.build_result, p_second agg.build_result)
returns agg.build_result
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_merged agg.build_result := p_first;
begin
  v_merged.to_utc := p_second.to_utc;
  v_merged.windows := p_first.windows + p_second.windows;
  v_merged.bars := p_first.bars + p_second.bars;
  v_merged.bars_poor := p_first.bars_poor + p_second.bars_poor;
  v_merged.inserted := p_first.inserted + p_second.inserted;
  v_merged.updated := p_first.updated + p_second.updated;
  v_merged.removed := p_first.removed + p_second.removed;
  v_merged.written := p_first.written + p_second.written;
  if p_second.decided_to_utc > p_second.from_utc then
    v_merged.decided_to_utc := p_second.decided_to_utc;
  end if;
  -- Ask again at once: what stopped the halves is not what stops the whole.
  v_merged.stopped_reason := 'max_windows';
  v_merged.failed := coalesce(p_first.failed, '{}') + coalesce(p_second.failed, '{}');
  v_merged.error := coalesce(p_first.error, p_second.error);
  v_merged.fail_kind := null;
  if v_merged.error is not null and v_merged.bars = 0 then
    v_merged.fail_kind := coalesce(p_first.fail_kind, p_second.fail_kind);
    v_merged.decided_to_utc := p_first.from_utc;
  end if;
  return v_merged;
end;
$$;
