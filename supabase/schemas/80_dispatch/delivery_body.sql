comment on function agg.delivery_body is
'The body of a message: for slack with blocks, for webhook as Standard Webhooks has it.
Slack takes 150 characters of a header and 3000 of a section, and answers 400 to more. Half of that is used, since some characters count as two. Texts of blocks are plain, so that no text mentions a channel; the text for notifications is escaped.';

create function agg.delivery_body(p_kind text, p_event text, p_alert jsonb, p_at timestamptz)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
  select case p_kind
    when 'webhook' then jsonb_build_object('type', 'alert.' || p_event, 'timestamp', p_at, 'data', p_alert)
    when 'slack' then jsonb_build_object(
      'text', left(replace(replace(replace(h.headline, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), 1000),
      'blocks', jsonb_build_array(
        jsonb_build_object('type', 'header', 'text', jsonb_build_object('type', 'plain_text', 'text', left(h.headline, 75))),
        jsonb_build_object(
          'type', 'section',
          'text', jsonb_build_object('type', 'plain_text', 'text', coalesce(nullif(btrim(left(p_alert ->> 'message', 1500)), ''), '-'))
        ),
        jsonb_build_object(
          'type', 'context',
          'elements', jsonb_build_array(jsonb_build_object('type', 'plain_text', 'text', concat_ws(
            ', ', left(p_alert ->> 'env', 50), 'raised ' || (p_alert ->> 'raised_at'), 'resolved ' || (p_alert ->> 'resolved_at')
          )))
        )
      )
    )
  end::text
  from (
    select concat_ws(
      ' ', case p_event when 'resolved' then 'Resolved:' else initcap(p_alert ->> 'severity') || ':' end,
      p_alert ->> 'kind', nullif(p_alert ->> 'canonical_symbol', '*'), nullif(p_alert ->> 'timeframe', '*')
    ) as headline
  ) as h;
$$;
