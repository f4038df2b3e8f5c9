-- A pipeline's version follows from its definition; a measured number may be an array or a hash; a
-- number that is NULL tells why.

set client_min_messages = warning;
set role scopestream_owner;

-- Who measures says what its pipeline is made of, not which version that is: the store counts the
-- definitions of a name in the order in which it meets them. Documents of before told a number.
alter table scopestream_data.pipeline
    add column if not exists definition text, add column if not exists measures text;
update scopestream_data.pipeline set definition = 'version ' || version where definition is null;
alter table scopestream_data.pipeline
    alter column definition set not null,
    drop constraint if exists pipeline_definition_length,
    add constraint pipeline_definition_length check (char_length(definition) between 1 and 64);
create unique index if not exists pipeline_definition on scopestream_data.pipeline (name, definition);
comment on table scopestream_data.pipeline is 'Named, versioned lists of measures; a row appears with the first result or catalogue of its definition';
comment on column scopestream_data.pipeline.version is 'counts the definitions that were met under this name, from 1';
comment on column scopestream_data.pipeline.definition is 'what tells one list of measures, scales and versions from another: a hash of it';
comment on column scopestream_data.pipeline.measures is 'the list in words, once a catalogue has told it';

alter table scopestream_data.measure
    add column if not exists kind text not null default 'number',
    add column if not exists length integer,
    add column if not exists measure text,
    add column if not exists scale integer;
alter table scopestream_data.measure
    drop constraint if exists measure_kind,
    add constraint measure_kind check (kind in ('number', 'array', 'hash'));

create table if not exists scopestream_data.pipeline_measure (
    pipeline_id integer not null references scopestream_data.pipeline,
    name text not null references scopestream_data.measure,
    primary key (pipeline_id, name)
);
comment on table scopestream_data.pipeline_measure is 'Which measured numbers a pipeline gives, as its catalogue tells';

alter table scopestream_data.result add column if not exists null_reasons jsonb;
comment on column scopestream_data.result.null_reasons is 'why a measured number is NULL: its name, then the reason; NULL where all have values';
comment on table scopestream_data.result is 'What was measured: one row a frame and pipeline, one column a measured number, array or hash';

-- --- pipelines ---

create or replace function scopestream_data.pipeline_definition(pipeline jsonb) returns text
    language sql immutable as $$
    select coalesce(pipeline ->> 'definition', 'version ' || (pipeline ->> 'version'))
$$;

-- results: documents that name a pipeline. One store counts at a time; documents of definitions that
-- are known wait for nobody.
create or replace function scopestream_data.store_pipelines(results jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told record;
begin
    for told in
        select distinct d #>> '{pipeline,name}' as name,
               scopestream_data.pipeline_definition(d -> 'pipeline') as definition,
               case when d #>> '{pipeline,definition}' is null
                    then (d #>> '{pipeline,version}')::integer end as version
        from jsonb_array_elements(results) d
        where not exists (
            select from scopestream_data.pipeline p
            where p.name = d #>> '{pipeline,name}'
              and p.definition = scopestream_data.pipeline_definition(d -> 'pipeline'))
        order by 1, 2
    loop
        perform pg_advisory_xact_lock(hashtext('scopestream measures'));
        insert into scopestream_data.pipeline (name, version, definition)
        select told.name,
               case when told.version between 1 and 1000000 and bool_and(version <> told.version) is not false
                    then told.version else coalesce(max(version), 0) + 1 end,
               told.definition
        from scopestream_data.pipeline where name = told.name
        on conflict (name, definition) do nothing;
    end loop;
end
$$;

-- What a catalogue says of its pipeline.
create or replace function scopestream_data.describe_pipeline(document jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    pipeline_key integer := (
        select pipeline_id from scopestream_data.pipeline
        where name = document #>> '{pipeline,name}'
          and definition = scopestream_data.pipeline_definition(document -> 'pipeline'));
begin
    update scopestream_data.pipeline set measures = document #>> '{pipeline,measures}'
    where pipeline_id = pipeline_key and measures is distinct from document #>> '{pipeline,measures}';
    insert into scopestream_data.pipeline_measure (pipeline_id, name)
    select pipeline_key, a.name
    from scopestream_data.announced(document) a join scopestream_data.measure m on m.name = a.name
    where pipeline_key is not null
      and not exists (select from scopestream_data.pipeline_measure k
                      where k.pipeline_id = pipeline_key and k.name = a.name)
    order by a.name
    on conflict do nothing;
end
$$;

-- --- the catalogue ---

create or replace function scopestream_data.column_type(kind text) returns regtype
    language sql immutable as $$
    select case kind when 'number' then 'double precision'::regtype
                     when 'array' then 'real[]'::regtype
                     when 'hash' then 'bigint'::regtype end
$$;

create or replace function scopestream_data.announced(document jsonb)
    returns setof scopestream_data.measure
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select distinct on (m.name)
           m.name, m.unit, m.formula, m.source, m.detects, m.cellprofiler, m.cost,
           coalesce(m.version, 1), clock_timestamp(), coalesce(m.kind, 'number'), m.length, m.measure, m.scale
    from jsonb_populate_recordset(null::scopestream_data.measure, document -> 'measures') m
    order by m.name, m.version desc
$$;

-- Numbers of a catalogue that can have no column, and why.
create or replace function scopestream_data.refused_measures(document jsonb)
    returns table (name text, reason text)
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select a.name, why.reason
    from scopestream_data.announced(document) a
    left join pg_attribute c on c.attrelid = 'scopestream_data.result'::regclass and c.attname = a.name
         and c.attnum > 0 and not c.attisdropped
    left join scopestream_data.measure m on m.name = a.name,
    lateral (select case
        when scopestream_data.column_type(a.kind) is null
            then format('''%s'' is of kind ''%s'': expected number, array or hash', a.name, a.kind)
        when a.kind = 'array' and (a.length is null or a.length not between 1 and 16384)
            then format('array ''%s'' is of length %s: expected 1 to 16384', a.name, coalesce(a.length::text, 'null'))
        when m.name is not null and c.atttypid <> scopestream_data.column_type(a.kind)
            then format('''%s'' is announced as %s, but its column holds kind %s: what is of another kind needs '
                        'another name; until then it stands in other_values', a.name, a.kind, m.kind)
        end as reason) why
    where why.reason is not null
$$;

-- Says it to people: each of them once, however often the catalogue comes.
create or replace function scopestream_data.tell_refused(document jsonb, refused text[]) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    select scopestream_data.reject_document(told.words, 'scopestream.catalogue.' || (document #>> '{pipeline,name}'),
                                            '42804', told.reason)
    from (select r.reason, jsonb_build_object('kind', 'catalogue', 'pipeline', document -> 'pipeline',
                                              'measures', jsonb_agg(d))::text as words
          from scopestream_data.refused_measures(document) r
          join jsonb_array_elements(document -> 'measures') d on d ->> 'name' = r.name
          where r.name = any (refused)
          group by r.reason) told
    where not exists (select from scopestream_data.rejected k where k.document_md5 = md5(told.words)::uuid)
$$;

-- What a column means, from the catalogue alone.
create or replace function scopestream_data.measure_comment(told scopestream_data.measure) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(nullif(told.formula, ''), 'formula not told')
        || coalesce(' [' || nullif(told.unit, '') || ']', '')
        || case told.kind when 'array' then format(' (%s values)', told.length) when 'hash' then ' (64 bits)' else '' end
        || coalesce('; detects: ' || nullif(told.detects, ''), '')
        || coalesce('; CellProfiler: ' || replace(nullif(told.cellprofiler, ''), '{channel}', '<channel>'), '')
$$;

-- Gives the numbers of a catalogue document their columns. Returns how many were new. Adding waits for
-- everybody who reads the table, and everybody else waits behind it: so it waits a quarter of a second,
-- fails with lock_not_available, and is tried again later; until then the numbers stand in other_values.
-- A number that can have no column is told in rejected, and the others are announced.
create or replace function scopestream_data.announce_measures(document jsonb) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
declare
    names text[];
    refused text[];
    missing text[];
    changed text[];
begin
    if jsonb_typeof(document -> 'measures') is distinct from 'array' then
        raise exception 'a catalogue needs an array of measures' using errcode = 'invalid_parameter_value';
    end if;
    if document ? 'pipeline' then
        perform scopestream_data.store_pipelines(jsonb_build_array(document));
    end if;
    refused := array(select r.name from scopestream_data.refused_measures(document) r);
    perform scopestream_data.tell_refused(document, refused) where refused <> '{}';
    names := array(select name from scopestream_data.announced(document)
                   where name is null or name <> all (refused));
    -- A worker of an older version does not overrule a newer one's words.
    changed := array(
        select a.name from scopestream_data.announced(document) a
        left join scopestream_data.measure m on m.name = a.name
        where a.name = any (names) and (m.name is null or (a.version >= m.version
            and (a.unit, a.formula, a.source, a.detects, a.cellprofiler, a.cost, a.version, a.length, a.measure, a.scale)
                is distinct from (m.unit, m.formula, m.source, m.detects, m.cellprofiler, m.cost, m.version,
                                  m.length, m.measure, m.scale))));
    if changed <> '{}' or array_position(names, null) is not null then -- nearly never: then no lock is taken
        perform scopestream_data.check_measure_names(names);
        perform pg_advisory_xact_lock(hashtext('scopestream measures'));
        missing := scopestream_data.add_columns(document, changed);
        insert into scopestream_data.measure
        select * from scopestream_data.announced(document) a where a.name = any (changed)
        on conflict (name) do update set
            unit = excluded.unit, formula = excluded.formula, source = excluded.source,
            detects = excluded.detects, cellprofiler = excluded.cellprofiler, cost = excluded.cost,
            version = excluded.version, announced_at = excluded.announced_at, length = excluded.length,
            measure = excluded.measure, scale = excluded.scale;
        execute (select string_agg(format('comment on column scopestream_data.result.%I is %L', m.name,
                                          scopestream_data.measure_comment(m)), '; ')
                 from scopestream_data.measure m where m.name = any (changed));
        if missing <> '{}' then
            perform scopestream_data.settle_other_values(missing);
        end if;
        perform scopestream_data.make_views();
    end if;
    perform scopestream_data.describe_pipeline(document);
    return coalesce(cardinality(missing), 0);
end
$$;

-- Columns for those of the changed numbers that have none, which it returns, in the catalogue's order; and
-- for arrays the length they are held to. Arrays stand beside the row: most questions are about numbers, and read four times
-- less without them.
create or replace function scopestream_data.add_columns(document jsonb, changed text[]) returns text[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    missing text[] := array(
        select name from unnest(changed) name
        where not exists (select from pg_attribute
                          where attrelid = 'scopestream_data.result'::regclass and attname = name));
    steps text := (
        select string_agg(concat_ws(', ',
            case when a.name = any (missing)
                 then format('add column if not exists %I %s', a.name, scopestream_data.column_type(a.kind)) end,
            case when a.kind = 'array' and a.name = any (missing)
                 then format('alter column %I set storage external', a.name) end,
            case when a.kind = 'array' and a.length is distinct from m.length
                 then format('drop constraint if exists %1$I, add constraint %1$I check (cardinality(%1$I) = %2$s) not valid',
                             a.name, a.length) end), ', ' order by told.place)
        from scopestream_data.announced(document) a
        join (select d ->> 'name' as name, min(place) as place
              from jsonb_array_elements(document -> 'measures') with ordinality e(d, place) group by 1) told
            on told.name = a.name
        left join scopestream_data.measure m on m.name = a.name
        where a.name = any (changed)
          and (a.name = any (missing) or a.length is distinct from m.length));
begin
    if steps is not null then
        -- Views first, as whoever reads them does; the tables below them are locked with them.
        execute 'lock table ' || (
            select string_agg(format('scopestream.%I', relname), ', ' order by relname)
            from pg_class where relnamespace = 'scopestream'::regnamespace and relkind = 'v'
              and relname = any (scopestream_data.growing_views())) || ' in access exclusive mode';
        execute 'alter table scopestream_data.result ' || steps;
    end if;
    return missing;
end
$$;

-- Moves what was stored before its column was there.
create or replace function scopestream_data.settle_other_values(names text[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    columns text := (select string_agg(quote_ident(name), ', ' order by name) from unnest(names) name);
begin
    execute format(
        'update scopestream_data.result r
         set (%1$s, other_values) = (
             select %2$s, nullif(r.other_values - array(select jsonb_object_keys(f.fitting)), ''{}'')
             from (select scopestream_data.fitting_values(r.other_values, $1) as fitting) f,
                  jsonb_populate_record(null::scopestream_data.result, f.fitting) p)
         where r.other_values ?| $1 and r.other_values is not null',
        columns, (select string_agg('p.' || quote_ident(name), ', ' order by name) from unnest(names) name))
    using names;
end
$$;

-- --- values ---

-- The store writes an array of numbers as SQL does, "{1,2,null}": PostgreSQL reads that many times
-- faster than a JSON array. This gives values their JSON back, for those that get no column.
create or replace function scopestream_data.plain_values("values" jsonb) returns jsonb
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(jsonb_object_agg(v.key,
        case when jsonb_typeof(v.value) = 'string' and v.value #>> '{}' like '{%}'
             then translate(v.value #>> '{}', '{}', '[]')::jsonb else v.value end), '{}')
    from jsonb_each("values") v
$$;

-- Those of these values, in plain JSON, that are of the kind and length their columns have.
create or replace function scopestream_data.fitting_values("values" jsonb, names text[]) returns jsonb
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(jsonb_object_agg(v.key, v.value), '{}')
    from jsonb_each("values") v join scopestream_data.measure m on m.name = v.key
    where m.name = any (names) and case
        when jsonb_typeof(v.value) = 'null' then true
        when m.kind = 'number' then jsonb_typeof(v.value) = 'number'
        when m.kind = 'hash' then
            case when jsonb_typeof(v.value) = 'number'
                 then v.value::numeric = trunc(v.value::numeric)
                      and v.value::numeric between -9223372036854775808 and 9223372036854775807
                 else false end
        else case when jsonb_typeof(v.value) = 'array'
                  then jsonb_array_length(v.value) = m.length and not exists (
                           select from jsonb_array_elements(v.value) e
                           where jsonb_typeof(e) not in ('number', 'null'))
                  else false end
        end
$$;

-- The same documents with all that fits no column among the other values.
create or replace function scopestream_data.with_fitting_values(results jsonb) returns jsonb
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select jsonb_agg(d || jsonb_build_object('values', f.fitting,
        'other_values', p.plain - array(select jsonb_object_keys(f.fitting))))
    from jsonb_array_elements(results) d,
         lateral (select scopestream_data.plain_values(coalesce(nullif(d -> 'values', 'null'), '{}')) as plain) p,
         lateral (select scopestream_data.fitting_values(
                      p.plain, array(select name from scopestream_data.measure)) as fitting) f
$$;

-- The first ok wins, ok replaces not ok, everything replaces vanished, which says only that the file was
-- away at that time; everything else is a replay. Names of values become columns by
-- jsonb_populate_record; what the store itself says comes last, so no value can overrule it.
create or replace function scopestream_data.insert_results(results jsonb) returns void
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
          on p.name = d #>> '{pipeline,name}'
         and p.definition = scopestream_data.pipeline_definition(d -> 'pipeline'),
        lateral (select coalesce(nullif(d -> 'values', 'null'), '{}') as told) v,
        lateral (select v.told - $2 as others) o,
        jsonb_populate_record(null::scopestream_data.result,
            v.told || jsonb_build_object(
                'frame_id', d #> '{frame,frame_id}', 'acquired_at', d #> '{frame,acquired_at}',
                'pipeline_id', p.pipeline_id, 'status', d -> 'status', 'reason', d -> 'reason',
                'delivery', d -> 'delivery', 'attempt', d -> 'attempt', 'worker', d -> 'worker',
                'offered_at', d #> '{timing,offered_at}', 'taken_at', d #> '{timing,taken_at}',
                'received_at', d #> '{timing,received_at}', 'decoded_at', d #> '{timing,decoded_at}',
                'measured_at', d #> '{timing,measured_at}', 'stored_at', clock_timestamp(),
                'null_reasons', nullif(nullif(d -> 'nulls', 'null'), '{}'),
                'other_values', nullif(coalesce(d -> 'other_values', '{}')
                    || case when o.others = '{}' then o.others
                            else scopestream_data.plain_values(o.others) end, '{}'))) r
        order by r.frame_id, r.pipeline_id
        on conflict (frame_id, pipeline_id, acquired_at) do update set %s
        where result.status <> 'ok' and excluded.status = 'ok'
           or result.status = 'vanished' and excluded.status <> 'vanished' $insert$, everything)
    using results, measured;
end
$$;

-- A value of another kind than its column, from a worker of another version or a stranger's, is no reason
-- to lose the frame's other numbers. It is nearly never there, so it is looked for when storing failed.
create or replace function scopestream_data.store_results(results jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.insert_results(results);
exception when data_exception or check_violation then
    perform scopestream_data.insert_results(scopestream_data.with_fitting_values(results));
end
$$;

-- The results among documents: one a frame and pipeline, even if the batch holds two: ok before not ok,
-- vanished last. NULL for none. As nearly always, when they are results alone and each frame is there
-- once, they are handed on as they are; they are large.
create or replace function scopestream_data.distinct_results(documents jsonb) returns jsonb
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    as_they_are boolean;
begin
    select bool_and(d ->> 'kind' = 'result' and not d ? 'other_values')
           and count(distinct ((d #>> '{frame,frame_id}')::uuid, d #>> '{pipeline,name}')) = count(*)
    into as_they_are
    from jsonb_array_elements(documents) d;
    if as_they_are then
        return documents;
    end if;
    return (
        select jsonb_agg(d order by id) from (
            select distinct on (id, pipeline, definition) d - 'thumbnail' - 'other_values' as d, id
            from jsonb_array_elements(documents) d,
                 lateral (select (d #>> '{frame,frame_id}')::uuid as id, d #>> '{pipeline,name}' as pipeline,
                                 scopestream_data.pipeline_definition(d -> 'pipeline') as definition) key
            where d ->> 'kind' = 'result'
            order by id, pipeline, definition, d ->> 'status' <> 'ok', d ->> 'status' = 'vanished') one_each);
end
$$;

-- Stores documents (docs/wire.md: result, event, catalogue). All of them or, with an error, none. Every
-- step sorts by the key it locks, so that two stores with the same frames wait for each other and never
-- deadlock. expected is how many documents were sent: a text that is two documents in disguise is refused.
-- work_mem: a batch is taken apart several times, and shall not be written to temporary files each time.
create or replace function scopestream_data.store_documents(documents jsonb, expected integer)
    returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp set work_mem = '64MB' as $$
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

    results := scopestream_data.distinct_results(documents);
    if results is not null then
        perform scopestream_data.store_pipelines(results);
        perform scopestream_data.ensure_months(results);
        perform scopestream_data.store_frames(results);
        perform scopestream_data.store_channels(results);
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

-- --- views ---

-- Views that get more columns, or appear, as measures and channels become known.
create or replace function scopestream_data.growing_views() returns text[]
    language sql immutable as $$
    select array['features', 'wells', 'cellprofiler', 'frame_changes', 'channel_correlation', 'best_planes',
                 'bleaching', 'duplicates']
$$;

-- The views whose columns are the measures. New columns come last, so that replacing a view never
-- breaks what others have built on it.
create or replace function scopestream_data.make_views() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    measured text;
    medians text;
    told scopestream_data.measure;
begin
    -- In the order of the columns, which is the order in which they were announced.
    select string_agg(format(', r.%I', a.attname), '' order by a.attnum),
           string_agg(format(', percentile_cont(0.5) within group (order by r.%1$I) as %1$I', a.attname),
                      '' order by a.attnum) filter (where m.kind = 'number')
    into measured, medians
    from pg_attribute a left join scopestream_data.measure m on m.name = a.attname
    where a.attrelid = 'scopestream_data.result'::regclass and a.attnum > 0 and not a.attisdropped
      and (m.name is not null or a.attname = 'null_reasons');

    execute format($view$
        create or replace view scopestream.features as
        select f.acquired_at, f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t,
               f.path, f.page, f.frame_id, f.closed_at, f.naming, f.format, f.width, f.height, f.bits,
               f.samples, f.pixel_size_um,
               p.name as pipeline, p.version as pipeline_version, r.delivery, r.attempt, r.worker,
               r.measured_at, r.stored_at, r.other_values%s
        from scopestream_data.frame f
        join scopestream_data.result r using (frame_id, acquired_at)
        join scopestream_data.pipeline p using (pipeline_id)
        where r.status = 'ok' $view$, measured);

    -- A column nobody asks for is not computed. Arrays and hashes have no median.
    execute format($view$
        create or replace view scopestream.wells as
        select f.source, f.experiment, f.plate, f.well, f.channel,
               p.name as pipeline, p.version as pipeline_version,
               count(*) as frames, min(f.acquired_at) as first_acquired_at,
               max(f.acquired_at) as last_acquired_at%s
        from scopestream_data.frame f
        join scopestream_data.result r using (frame_id, acquired_at)
        join scopestream_data.pipeline p using (pipeline_id)
        where r.status = 'ok'
        group by f.source, f.experiment, f.plate, f.well, f.channel, p.name, p.version $view$, medians);

    for told in select * from scopestream_data.measure loop
        execute format('comment on column scopestream.features.%I is %L', told.name,
                       scopestream_data.measure_comment(told));
        if told.kind = 'number' then
            execute format('comment on column scopestream.wells.%I is %L', told.name,
                           'median over the frames of: ' || scopestream_data.measure_comment(told));
        end if;
    end loop;
    comment on column scopestream.features.null_reasons is
        'why a number is NULL: its name, then the reason; NULL where all have values';
    perform scopestream_data.make_cellprofiler_view();
    perform scopestream_data.make_between_frames_views();
end
$$;
drop function if exists scopestream_data.measure_comment(text, text);

create or replace view scopestream.measures as
    select name, unit, formula, source, detects, cellprofiler, cost, version, announced_at,
           kind, length, scale, measure,
           array(select distinct p.name from scopestream_data.pipeline_measure k
                 join scopestream_data.pipeline p using (pipeline_id)
                 where k.name = m.name order by p.name) as pipelines
    from scopestream_data.measure m;
comment on column scopestream.measures.cellprofiler is 'the name CellProfiler gives the same number; {channel} stands for the channel''s name';
comment on column scopestream.measures.kind is 'number: double precision; array: real[]; hash: 64 bits in a bigint';
comment on column scopestream.measures.length is 'how many values an array has';
comment on column scopestream.measures.scale is 'in pixels, of a measure that looks at several scales';
comment on column scopestream.measures.measure is 'the computation that gives it, perhaps with other numbers: what [pipeline] measures names';
comment on column scopestream.measures.pipelines is 'those that give it, as far as their workers told';

create or replace view scopestream.pipelines as
    select name, version, definition, measures, first_seen_at from scopestream_data.pipeline;
comment on view scopestream.pipelines is 'Every list of measures that was met: another list under the same name is another version';
comment on column scopestream.pipelines.name is 'as in the settings';
comment on column scopestream.pipelines.version is 'pipeline_version of the other views: counts the lists met under this name, from 1';
comment on column scopestream.pipelines.definition is 'tells one list from another';
comment on column scopestream.pipelines.measures is 'the list: each measure with its scales and its version; NULL until a worker has told it';
comment on column scopestream.pipelines.first_seen_at is 'when its first result or catalogue was stored';

revoke execute on function scopestream_data.pipeline_definition, scopestream_data.describe_pipeline,
    scopestream_data.column_type, scopestream_data.refused_measures, scopestream_data.tell_refused,
    scopestream_data.measure_comment, scopestream_data.add_columns, scopestream_data.plain_values,
    scopestream_data.fitting_values, scopestream_data.with_fitting_values,
    scopestream_data.insert_results, scopestream_data.distinct_results, scopestream_data.growing_views
    from public;

-- From here on a file writes its number down itself, for those who run it in psql; before this one the
-- others were run. scopestream-store migrate adds the checksums.
insert into scopestream_data.schema_migration (version, name, sha256) values
    (1, '001_roles_and_schemas.sql', ''), (2, '002_tables.sql', ''), (3, '003_partitions.sql', ''),
    (4, '004_measures.sql', ''), (5, '005_views.sql', ''), (6, '006_store.sql', ''),
    (7, '007_pipelines_and_kinds.sql', '')
on conflict (version) do nothing;

reset role;
