-- A microscope in SQL, for tests of what time and places tell: frames come a second apart, by a clock of the
-- test's own, and the store watches every second.
create schema scene;
create table scene.clock (now timestamptz not null);
insert into scene.clock values ('2026-03-02 12:00:00+00');
insert into scopestream_data.pipeline (name, version, definition) values ('quality', 1, 'x'), ('other', 1, 'y');
select scopestream_data.ensure_partitions('2026-03-01', '2026-03-01');
delete from scopestream_data.rule; -- those that come switched on

create function scene.now() returns timestamptz language sql as $$ select now from scene.clock $$;
create function scene.wait(seconds integer, step integer default 1) returns void language plpgsql as $$
begin
    for i in 1 .. seconds / step loop
        update scene.clock set now = now + make_interval(secs => step);
        perform scopestream_data.watch_time(scene.now());
    end loop;
end
$$;

-- A frame is imaged and stored; these rules found it bad.
create function scene.store(plate text, well text, site integer, channel text, bad text[] default '{}',
        status text default 'ok', t integer default null, z integer default null, source text default 'scope',
        pipeline text default 'quality', at timestamptz default scene.now()) returns scopestream_data.row_key
    language plpgsql as $$
declare
    key scopestream_data.row_key := (gen_random_uuid(), at,
        (select p.pipeline_id from scopestream_data.pipeline p where p.name = pipeline));
begin
    insert into scopestream_data.frame (frame_id, acquired_at, closed_at, source, plate, well, site, channel, z, t, path, naming)
    values (key.frame_id, at, at, source, plate, well, site, channel, z, t,
            concat_ws('_', plate || '/' || well, site, channel, z, t) || '.tif', case when plate is not null then 'some' end);
    perform scene.measure(key, bad, status);
    return key;
end
$$;
create function scene.measure(key scopestream_data.row_key, bad text[] default '{}', status text default 'ok') returns void
    language sql as $$
    insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status)
    values (key.frame_id, key.acquired_at, key.pipeline_id, status);
    insert into scopestream_data.finding (acquired_at, rule_id, frame_id, pipeline_id, source, plate, well, site, channel, value, bound)
    select key.acquired_at, r.rule_id, key.frame_id, key.pipeline_id, f.source, f.plate, f.well, f.site, f.channel, 7, r.bound
    from scopestream_data.rule r, scopestream_data.frame f
    where r.name = any (bad) and f.frame_id = key.frame_id and f.acquired_at = key.acquired_at;
$$;
create function scene.frame(plate text, well text, site integer, channel text, bad text[] default '{}',
        status text default 'ok', t integer default null, z integer default null, source text default 'scope',
        pipeline text default 'quality', at timestamptz default scene.now()) returns scopestream_data.row_key
    language plpgsql as $$
declare
    key scopestream_data.row_key := scene.store(plate, well, site, channel, bad, status, t, z, source, pipeline, at);
begin
    if status = 'ok' then
        perform scopestream_data.decide(array[key], scene.now());
    end if;
    return key;
end
$$;

create function scene.wells(rows integer, columns integer) returns text[] language sql as $$
    select array_agg(chr(64 + r) || to_char(c, 'FM00') order by r, c)
    from generate_series(1, rows) r, generate_series(1, columns) c
$$;
-- The stage goes over wells; but: places that are left out, 'B02 1 GFP'.
create function scene.image(plate text, wells text[], sites integer default 2, channels text[] default '{DAPI,GFP}',
                            but text[] default '{}', t integer default null) returns void language plpgsql as $$
declare
    well text;
    channel text;
begin
    foreach well in array wells loop
        for site in 1 .. sites loop
            foreach channel in array channels loop
                if concat_ws(' ', well, site, channel) <> all (but) then
                    perform scene.frame(plate, well, site, channel, t => t);
                end if;
                perform scene.wait(1);
            end loop;
        end loop;
    end loop;
end
$$;
create function scene.layout(plate text, wells text[], empty text[] default '{}') returns void language sql as $$
    insert into scopestream_data.layout (plate, rows, columns) values (plate, 16, 24);
    insert into scopestream_data.layout_well (layout_id, well, role)
    select l.layout_id, well, case when well = any (empty) then 'empty' else 'sample' end
    from scopestream_data.layout l, unnest(wells || empty) well where l.plate = layout.plate;
$$;

create view scene.alerts as
    select string_agg(format('%s %s %s %s', severity, state, coalesce(plate, '-'), title), E'\n' order by alert_id) as all
    from scopestream_data.alert;
-- What a question costs, in pages looked at.
create function scene.pages(question text) returns bigint language plpgsql as $$
declare
    plan json;
begin
    execute 'explain (analyze, buffers, format json) ' || question into plan;
    return (plan #>> '{0,Plan,Shared Hit Blocks}')::bigint + (plan #>> '{0,Plan,Shared Read Blocks}')::bigint;
end
$$;
