-- Makes what Realtime has in a database of Supabase, as far as a broadcast needs it: the published names, arguments and columns,
-- and no error of a message but a warning. Nothing sends the rows of realtime.messages.
create procedure tests.add_realtime()
language plpgsql as $$
begin
  create schema realtime;
  create table realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp not null default now(),
    inserted_at timestamp not null default now(),
    id uuid not null default gen_random_uuid(),
    primary key (id, inserted_at)
  );
  alter table realtime.messages enable row level security;
  create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
  language plpgsql as $send$
  begin
    execute format('set local realtime.topic to %L', topic);
    insert into realtime.messages (payload, event, topic, private, extension)
    values (jsonb_set(payload, '{id}', to_jsonb(gen_random_uuid())), event, topic, private, 'broadcast');
  exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
  $send$;
  create function realtime.topic() returns text
  language sql stable as $topic$ select nullif(current_setting('realtime.topic', true), '') $topic$;
  grant usage on schema realtime to anon, authenticated;
  grant select on realtime.messages to anon, authenticated;
end;
$$;
