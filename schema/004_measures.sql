-- The catalogue becomes columns: a worker announces what it measures, and each number it names gets a
-- column of its own in result and in the views for people, explained by a comment.

set client_min_messages = warning;
set role scopestream_owner;

-- The views whose columns are the measures. New columns come last, so that replacing a view never
-- breaks what others have built on it.
create or replace function scopestream_data.make_views() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    measured text;
    medians text;
    name text;
    unit text;
    formula text;
begin
    -- In the order of the columns, which is the order in which they were announced.
    select string_agg(format(', r.%I', a.attname), '' order by a.attnum),
           string_agg(format(', percentile_cont(0.5) within group (order by r.%1$I) as %1$I', a.attname),
                      '' order by a.attnum)
    into measured, medians
    from pg_attribute a join scopestream_data.measure m on m.name = a.attname
    where a.attrelid = 'scopestream_data.result'::regclass and a.attnum > 0 and not a.attisdropped;

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

    -- A column nobody asks for is not computed.
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

    for name, unit, formula in
        select m.name, m.unit, m.formula from scopestream_data.measure m
        join pg_attribute a on a.attname = m.name and a.attrelid = 'scopestream.features'::regclass
    loop
        execute format('comment on column scopestream.features.%I is %L', name,
                       scopestream_data.measure_comment(unit, formula));
        execute format('comment on column scopestream.wells.%I is %L', name,
                       'median over the frames of: ' || scopestream_data.measure_comment(unit, formula));
    end loop;
end
$$;

create or replace function scopestream_data.measure_comment(unit text, formula text) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(nullif(formula, ''), 'formula not told') || coalesce(' [' || nullif(unit, '') || ']', '')
$$;

-- What a document announces, as rows of the catalogue.
create or replace function scopestream_data.announced(document jsonb)
    returns setof scopestream_data.measure
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select distinct on (m.name)
           m.name, m.unit, m.formula, m.source, m.detects, m.cellprofiler, m.cost,
           coalesce(m.version, 1), clock_timestamp()
    from jsonb_populate_recordset(null::scopestream_data.measure, document -> 'measures') m
    order by m.name, m.version desc
$$;

-- Refuses names that cannot be columns: misspelt, or taken by a column that is no measure.
create or replace function scopestream_data.check_measure_names(names text[]) returns void
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    wrong text;
begin
    select name into wrong from unnest(names) name
    where name is null or name !~ '^[a-z][a-z0-9_]{0,62}$' limit 1;
    if found then
        raise exception 'a measure cannot be called ''%'': a letter a-z, then at most 62 of a-z 0-9 _',
            coalesce(wrong, 'null') using errcode = 'invalid_parameter_value';
    end if;
    select attname into wrong from pg_attribute
    where attname = any (names)
      and attrelid in ('scopestream_data.frame'::regclass, 'scopestream_data.result'::regclass,
                       'scopestream.features'::regclass, 'scopestream.wells'::regclass)
      and attname not in (select name from scopestream_data.measure) limit 1;
    if found then
        raise exception 'a measure cannot be called ''%'': a column of another meaning has that name', wrong
            using errcode = 'invalid_parameter_value';
    end if;
    -- A row must fit a page of 8 kB, and numbers cannot be moved out of it.
    if (select count(*) from (select unnest(names) union select name from scopestream_data.measure) known) > 800 then
        raise exception 'at most 800 measures have columns' using errcode = 'too_many_columns';
    end if;
end
$$;

-- Gives the numbers of a catalogue document their columns. Returns how many were new. Adding waits for
-- everybody who reads the table, and everybody else waits behind it: so it waits a quarter of a second,
-- fails with lock_not_available, and is tried again later; until then the numbers stand in other_values.
create or replace function scopestream_data.announce_measures(document jsonb) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
declare
    names text[];
    missing text[];
    changed text[];
begin
    if jsonb_typeof(document -> 'measures') is distinct from 'array' then
        raise exception 'a catalogue needs an array of measures' using errcode = 'invalid_parameter_value';
    end if;
    names := array(select name from scopestream_data.announced(document));
    -- A worker of an older version does not overrule a newer one's words.
    changed := array(
        select a.name from scopestream_data.announced(document) a
        left join scopestream_data.measure m on m.name = a.name
        where m.name is null or (a.version >= m.version
            and (a.unit, a.formula, a.source, a.detects, a.cellprofiler, a.cost, a.version)
                is distinct from (m.unit, m.formula, m.source, m.detects, m.cellprofiler, m.cost, m.version)));
    if changed = '{}' then
        return 0; -- as nearly always: no lock is taken
    end if;
    perform scopestream_data.check_measure_names(names);

    perform pg_advisory_xact_lock(hashtext('scopestream measures'));
    missing := array(
        select name from unnest(names) name
        where not exists (select from pg_attribute
                          where attrelid = 'scopestream_data.result'::regclass and attname = name));
    if missing <> '{}' then
        -- Views first, as whoever reads them does; the tables below them are locked with them.
        lock table scopestream.features, scopestream.wells in access exclusive mode;
        execute 'alter table scopestream_data.result '
            || (select string_agg(format('add column if not exists %I double precision', name), ', ')
                from unnest(missing) name);
    end if;

    insert into scopestream_data.measure
    select * from scopestream_data.announced(document) a where a.name = any (changed)
    on conflict (name) do update set
        unit = excluded.unit, formula = excluded.formula, source = excluded.source,
        detects = excluded.detects, cellprofiler = excluded.cellprofiler, cost = excluded.cost,
        version = excluded.version, announced_at = excluded.announced_at;
    execute coalesce(
        (select string_agg(format('comment on column scopestream_data.result.%I is %L', name,
                                  scopestream_data.measure_comment(unit, formula)), '; ')
         from scopestream_data.measure where name = any (changed)), 'select');
    if missing <> '{}' then
        perform scopestream_data.settle_other_values(missing);
    end if;
    perform scopestream_data.make_views();
    return cardinality(missing);
end
$$;
comment on function scopestream_data.announce_measures is 'Takes a catalogue document: every number it names has a column and an explanation afterwards';

-- Moves what was stored before its column was there.
create or replace function scopestream_data.settle_other_values(names text[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format(
        'update scopestream_data.result set (%s, other_values) = row(%s, nullif(other_values - $1, ''{}''))
         where other_values ?| $1 and other_values is not null',
        (select string_agg(quote_ident(name), ', ' order by name) from unnest(names) name),
        (select string_agg(format('(other_values ->> %L)::double precision', name), ', ' order by name)
         from unnest(names) name))
    using names;
end
$$;

revoke execute on function scopestream_data.make_views, scopestream_data.measure_comment,
    scopestream_data.announced, scopestream_data.check_measure_names,
    scopestream_data.announce_measures, scopestream_data.settle_other_values from public;
grant execute on function scopestream_data.announce_measures to scopestream_store;

do $$ begin perform scopestream_data.make_views(); end $$;
comment on view scopestream.features is 'What was measured, one row a frame: where it stands, then one column a number; frames without numbers are in scopestream.failures';
comment on column scopestream.features.pipeline is 'list of measures that was asked for';
comment on column scopestream.features.pipeline_version is 'its version; a frame measured by two versions has two rows';
comment on column scopestream.wells.pipeline is 'list of measures that was asked for';
comment on column scopestream.wells.pipeline_version is 'its version';
comment on column scopestream.wells.frames is 'measured frames, of all sites, planes and time points';
comment on column scopestream.wells.first_acquired_at is 'of its first frame';
comment on column scopestream.wells.last_acquired_at is 'of its last frame';
comment on view scopestream.wells is 'A row a well and channel; every measure''s column is its median over the frames, so that the well out of focus stands out';

reset role;
