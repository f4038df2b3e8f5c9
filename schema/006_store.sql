-- What scopestream-store calls. These functions are all its role may do: documents in, questions
-- answered; no table is open to it.

set client_min_messages = warning;
set role scopestream_owner;

-- Stores documents (docs/wire.md: result, event, catalogue). All of them or, with an error, none. Every
-- step sorts by the key it locks, so that two stores with the same frames wait for each other and never
-- deadlock. expected is how many documents were sent: a text that is two documents in disguise is refused.
create or replace function scopestream_data.store_documents(documents jsonb, expected integer)
    returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    results jsonb;
    unknown jsonb;
begin
    if jsonb_typeof(documents) <> 'array' or jsonb_array_length(documents) <> expected then
        raise exception '% documents were sent, % arrived', expected, jsonb_array_length(documents)
            using errcode = 'invalid_parameter_value';
    end if;
    select d into unknown from jsonb_array_elements(documents) d
    where coalesce(d ->> 'kind', '') not in ('result', 'event', 'catalogue') limit 1;
    if found then
        raise exception 'no document is of kind %', coalesce(unknown -> 'kind', 'null')
            using errcode = 'invalid_parameter_value';
    end if;

    -- First, because it may lock more than the rest.
    perform scopestream_data.announce_measures(d)
    from jsonb_array_elements(documents) d where d ->> 'kind' = 'catalogue';

    -- One document a frame and pipeline, even if the batch holds two: ok before not ok, vanished last.
    -- Without their pictures, which are most of the text and of no use to the steps that follow.
    select jsonb_agg(d order by id) into results from (
        select distinct on (id, pipeline, version) d - 'thumbnail' as d, id
        from jsonb_array_elements(documents) d,
             lateral (select (d #>> '{frame,frame_id}')::uuid as id, d #>> '{pipeline,name}' as pipeline,
                             d #>> '{pipeline,version}' as version) key
        where d ->> 'kind' = 'result'
        order by id, pipeline, version, d ->> 'status' <> 'ok', d ->> 'status' = 'vanished') distinct_documents;
    if results is not null then
        perform scopestream_data.ensure_months(results);
        perform scopestream_data.store_pipelines(results);
        perform scopestream_data.store_frames(results);
        perform scopestream_data.store_thumbnails(documents);
    end if;

    insert into scopestream_data.event (at, source, path, level, event, detail, document_md5)
    select (d ->> 'at')::timestamptz, d ->> 'source', d ->> 'path', coalesce(d ->> 'level', 'info'),
           d ->> 'event', d ->> 'detail', md5(d::text)::uuid
    from jsonb_array_elements(documents) d where d ->> 'kind' = 'event'
    order by md5(d::text)
    on conflict (document_md5) do nothing;

    -- Last: its trigger counts, and two stores wait for each other at the tally.
    if results is not null then
        perform scopestream_data.store_results(results);
    end if;
end
$$;
comment on function scopestream_data.store_documents is 'Stores a batch of documents; a replay changes nothing';

create or replace function scopestream_data.ensure_months(results jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    month timestamptz;
begin
    for month in
        select distinct date_trunc('month', (d #>> '{frame,acquired_at}')::timestamptz)
        from jsonb_array_elements(results) d order by 1
    loop
        perform scopestream_data.ensure_partitions(month, month);
    end loop;
end
$$;

-- Looked for before it is inserted: a conflict would use up a number of the identity each time.
create or replace function scopestream_data.store_pipelines(results jsonb) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.pipeline (name, version)
    select distinct d #>> '{pipeline,name}', (d #>> '{pipeline,version}')::integer
    from jsonb_array_elements(results) d
    where not exists (
        select from scopestream_data.pipeline p
        where p.name = d #>> '{pipeline,name}' and p.version = (d #>> '{pipeline,version}')::integer)
    order by 1, 2
    on conflict (name, version) do nothing
$$;

create or replace function scopestream_data.store_frames(results jsonb) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.frame
    select f.* from jsonb_array_elements(results) d,
                    jsonb_populate_record(null::scopestream_data.frame,
                        '{"page": 0, "pages": 1}' || (d -> 'frame')) f
    order by f.frame_id
    on conflict (frame_id, acquired_at) do nothing
$$;

create or replace function scopestream_data.store_thumbnails(documents jsonb) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.thumbnail (frame_id, acquired_at, mime, width, height, low, high, image)
    select (d #>> '{frame,frame_id}')::uuid, (d #>> '{frame,acquired_at}')::timestamptz,
           t.mime, t.width, t.height, t.low, t.high, decode(t.base64, 'base64')
    from jsonb_array_elements(documents) d,
         jsonb_to_record(d -> 'thumbnail') t(mime text, width integer, height integer,
             low double precision, high double precision, base64 text)
    where d ->> 'kind' = 'result' and jsonb_typeof(d -> 'thumbnail') = 'object'
    order by 1
    on conflict (frame_id, acquired_at) do nothing
$$;

-- The first ok wins, ok replaces not ok, everything replaces vanished, which says only that the file was
-- away at that time; everything else is a replay. Names of values become columns by
-- jsonb_populate_record; what the store itself says comes last, so no value can overrule it.
create or replace function scopestream_data.store_results(results jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    measured text[] := array(
        select name from scopestream_data.measure m
        join pg_attribute a on a.attname = m.name and a.attrelid = 'scopestream_data.result'::regclass
        where not a.attisdropped);
    everything text := (
        select string_agg(format('%1$I = excluded.%1$I', attname), ', ')
        from pg_attribute
        where attrelid = 'scopestream_data.result'::regclass and attnum > 0 and not attisdropped
          and attname not in ('frame_id', 'pipeline_id', 'acquired_at'));
begin
    execute format($insert$
        insert into scopestream_data.result
        select r.* from jsonb_array_elements($1) d
        join scopestream_data.pipeline p
          on p.name = d #>> '{pipeline,name}' and p.version = (d #>> '{pipeline,version}')::integer,
        jsonb_populate_record(null::scopestream_data.result,
            coalesce(nullif(d -> 'values', 'null'), '{}') || jsonb_build_object(
                'frame_id', d #> '{frame,frame_id}', 'acquired_at', d #> '{frame,acquired_at}',
                'pipeline_id', p.pipeline_id, 'status', d -> 'status', 'reason', d -> 'reason',
                'delivery', d -> 'delivery', 'attempt', d -> 'attempt', 'worker', d -> 'worker',
                'offered_at', d #> '{timing,offered_at}', 'taken_at', d #> '{timing,taken_at}',
                'received_at', d #> '{timing,received_at}', 'decoded_at', d #> '{timing,decoded_at}',
                'measured_at', d #> '{timing,measured_at}', 'stored_at', clock_timestamp(),
                'other_values', nullif(coalesce(nullif(d -> 'values', 'null'), '{}') - $2, '{}'))) r
        order by r.frame_id, r.pipeline_id
        on conflict (frame_id, pipeline_id, acquired_at) do update set %s
        where result.status <> 'ok' and excluded.status = 'ok'
           or result.status = 'vanished' and excluded.status <> 'vanished' $insert$, everything)
    using results, measured;
end
$$;

-- Keeps a document that could not be stored, with the reason.
create or replace function scopestream_data.reject_document(document text, subject text, sqlstate text,
                                                            error text) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.rejected (subject, sqlstate, error, document, document_md5)
    values (subject, sqlstate, error, document, md5(document)::uuid)
    on conflict (document_md5) do nothing
$$;
comment on function scopestream_data.reject_document is 'Keeps a document that could not be stored';

-- Which of these frames have a row of this pipeline? One that says vanished does not count: who asks
-- has seen the file, and measuring it is worth another try. frames: [{"frame_id": ..., "acquired_at": ...}, ...].
-- One look by key each, in the month acquired_at tells.
create or replace function scopestream_data.stored_frames(pipeline text, frames jsonb) returns setof uuid
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select f.frame_id
    from jsonb_to_recordset(frames) f(frame_id uuid, acquired_at timestamptz)
    cross join lateral (
        select from scopestream_data.result r
        where r.frame_id = f.frame_id and r.acquired_at = f.acquired_at
          and r.pipeline_id in (select p.pipeline_id from scopestream_data.pipeline p
                                where p.name = stored_frames.pipeline)
          and r.status <> 'vanished'
        limit 1) stored
$$;
comment on function scopestream_data.stored_frames is 'Which of these frames have a row of this pipeline, in any of its versions, other than vanished';

revoke execute on function scopestream_data.store_documents, scopestream_data.ensure_months,
    scopestream_data.store_pipelines, scopestream_data.store_frames, scopestream_data.store_thumbnails,
    scopestream_data.store_results, scopestream_data.reject_document, scopestream_data.stored_frames
    from public;
grant execute on function scopestream_data.store_documents, scopestream_data.reject_document,
    scopestream_data.stored_frames to scopestream_store;

reset role;
