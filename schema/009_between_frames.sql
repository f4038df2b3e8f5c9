-- Measures between frames: what no frame tells alone. Each is a view over the numbers and arrays of single
-- frames, and is there once these have columns. A plate asked for is all that is read.

set client_min_messages = warning;
set role scopestream_owner;

create or replace function scopestream.correlation(a real[], b real[]) returns double precision
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case when cardinality(a) = cardinality(b) then corr(x::double precision, y::double precision) end
    from unnest(a, b) pairs(x, y)
$$;
comment on function scopestream.correlation is 'Pearson''s r of two arrays of one length; pairs with a NULL are left out; NULL where one of them is constant';

-- Whether result has all these columns.
create or replace function scopestream_data.has_columns(variadic names text[]) returns boolean
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select count(*) = cardinality(names) from scopestream_data.measure where name = any (names)
$$;

-- The measured frames, with these columns; of a place imaged again, or a file written again, the newest.
create or replace function scopestream_data.newest_frames(columns text) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format($newest$
        (select distinct on (f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t, f.page, set_path,
                             p.name, p.version)
                f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t, f.page, f.path, set_path,
                f.frame_id, acquired_at, p.name as pipeline, p.version as pipeline_version, %s
         from scopestream_data.frame f
         join scopestream_data.result r using (frame_id, acquired_at)
         join scopestream_data.pipeline p using (pipeline_id),
         lateral (select case when f.naming is null then f.path end as set_path) s
         where r.status = 'ok'
         order by f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t, f.page, set_path,
                  p.name, p.version, acquired_at desc, frame_id) $newest$, columns)
$$;

create or replace function scopestream_data.make_frame_changes() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format($view$
        create or replace view scopestream.frame_changes as
        select source, experiment, plate, well, site, channel, z, t, page, pipeline, pipeline_version,
               previous_t, 1 - scopestream.correlation(previous, tile_mean) as change,
               extract(epoch from acquired_at - previous_acquired_at)::double precision as after_s,
               path, frame_id, acquired_at
        from (select n.*, lag(tile_mean) over same_place as previous, lag(t) over same_place as previous_t,
                     lag(acquired_at) over same_place as previous_acquired_at
              from %s n where t is not null
              window same_place as (partition by source, experiment, plate, well, site, channel, z, page, set_path,
                                                 pipeline, pipeline_version order by t)) n
        where previous_t is not null $view$, scopestream_data.newest_frames('r.tile_mean'));
    comment on view scopestream.frame_changes is 'How much each frame differs from that of the time point before, at the same site, channel and plane: stage drift, a focus jump, a knocked plate';
    comment on column scopestream.frame_changes.previous_t is 'the time point it is compared with';
    comment on column scopestream.frame_changes.change is '1 - Pearson''s r of tile_mean: 0 nothing moved, 1 nothing is where it was; NULL where a frame is constant';
    comment on column scopestream.frame_changes.after_s is 'seconds between the two';
end
$$;

create or replace function scopestream_data.make_channel_correlation() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format($view$
        create or replace view scopestream.channel_correlation as
        select s.source, s.experiment, s.plate, s.well, s.site, s.z, s.t, s.page, s.pipeline, s.pipeline_version,
               s.channels[one] as channel, s.channels[other] as other_channel,
               scopestream.correlation(s.tiles[one:one], s.tiles[other:other]) as r
        from (select source, experiment, plate, well, site, z, t, page, pipeline, pipeline_version,
                     array_agg(channel order by channel) as channels, array_agg(tile_mean order by channel) as tiles
              from %s n where tile_mean is not null
              group by source, experiment, plate, well, site, z, t, page, set_path, pipeline, pipeline_version,
                       cardinality(tile_mean)) s,
             generate_series(1, cardinality(s.channels) - 1) one,
             generate_series(one + 1, cardinality(s.channels)) other $view$,
        scopestream_data.newest_frames('r.tile_mean'));
    comment on view scopestream.channel_correlation is 'How alike two channels of a site are: 1 for a filter that did not turn, or bleed-through';
    comment on column scopestream.channel_correlation.channel is 'one of the two, the first by name';
    comment on column scopestream.channel_correlation.other_channel is 'the other one';
    comment on column scopestream.channel_correlation.r is 'Pearson''s r of their tile_mean; NULL where one is constant';
end
$$;

create or replace function scopestream_data.make_best_planes() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format($view$
        create or replace view scopestream.best_planes as
        select distinct on (source, experiment, plate, well, site, channel, t, page, pipeline, pipeline_version)
               source, experiment, plate, well, site, channel, t, page, pipeline, pipeline_version,
               z as best_z, first_z, last_z, planes, vollath_f4, least_vollath_f4,
               planes > 1 and z in (first_z, last_z) as at_the_end, path, frame_id, acquired_at
        from (select n.*, count(*) over stack as planes, min(z) over stack as first_z, max(z) over stack as last_z,
                     min(vollath_f4) over stack as least_vollath_f4
              from %s n where z is not null and vollath_f4 is not null
              window stack as (partition by source, experiment, plate, well, site, channel, t, page,
                                            pipeline, pipeline_version)) n
        order by source, experiment, plate, well, site, channel, t, page, pipeline, pipeline_version,
                 vollath_f4 desc, z $view$, scopestream_data.newest_frames('r.vollath_f4'));
    comment on view scopestream.best_planes is 'The sharpest plane of each z-stack: that with the largest vollath_f4, which within a stack tells sharp from blurred';
    comment on column scopestream.best_planes.best_z is 'the plane';
    comment on column scopestream.best_planes.first_z is 'of the planes measured';
    comment on column scopestream.best_planes.last_z is 'of the planes measured';
    comment on column scopestream.best_planes.planes is 'measured at this site, channel and time';
    comment on column scopestream.best_planes.vollath_f4 is 'of the sharpest plane';
    comment on column scopestream.best_planes.least_vollath_f4 is 'of the least sharp one: near the other, no plane is sharp, or all are';
    comment on column scopestream.best_planes.at_the_end is 'whether the sharpest is the first or the last: focus may lie outside the stack';
end
$$;

create or replace function scopestream_data.make_bleaching() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format($view$
        create or replace view scopestream.bleaching as
        select source, experiment, plate, well, site, channel, z, page, pipeline, pipeline_version,
               count(*) as frames, min(t) as first_t, max(t) as last_t,
               regr_slope(ln(signal), t) as rate_per_t,
               regr_slope(ln(signal), extract(epoch from acquired_at)::double precision / 3600) as rate_per_hour,
               regr_r2(ln(signal), t) as r2
        from (select n.*, fg_mean - bg_mean as signal from %s n where t is not null) n
        where signal > 0
        group by source, experiment, plate, well, site, channel, z, page, set_path, pipeline, pipeline_version
        having count(distinct t) > 1 $view$, scopestream_data.newest_frames('r.fg_mean, r.bg_mean'));
    comment on view scopestream.bleaching is 'How fast the signal of a site fades: the slope of ln(fg_mean - bg_mean) over its time points';
    comment on column scopestream.bleaching.frames is 'with a foreground brighter than the background';
    comment on column scopestream.bleaching.first_t is 'time point it begins with';
    comment on column scopestream.bleaching.last_t is 'time point it ends with';
    comment on column scopestream.bleaching.rate_per_t is 'a time point: -0.01 is a loss of 1 % at each';
    comment on column scopestream.bleaching.rate_per_hour is 'an hour between the files'' times; NULL where these are equal';
    comment on column scopestream.bleaching.r2 is 'how much of the change the slope explains, 0 to 1';
end
$$;

-- Near ones by pigeonholes: hashes that differ in at most 3 of 64 bits agree in one of their four quarters.
-- Of each frame the four before it that share a quarter are compared, not all of the plate.
create or replace function scopestream_data.make_duplicates() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    place constant text := 'source, experiment, plate, well, site, channel, z, t, page, path, frame_id, acquired_at, '
                           'pipeline, pipeline_version';
    near text := '';
begin
    if scopestream_data.has_columns('pixel_hash', 'dhash') then
        near := format($near$
            union all
            select %1$s, false, differing_bits, of_path, of_page, of_frame_id from (
                select distinct on (source, plate, frame_id, acquired_at, pipeline, pipeline_version)
                       %1$s, bit_count((dhash # of_dhash)::bit(64))::integer as differing_bits, of_path, of_page, of_frame_id
                from (select n.*, back, lag(dhash, back) over alike as of_dhash, lag(pixel_hash, back) over alike as of_pixel_hash,
                             lag(path, back) over alike as of_path, lag(page, back) over alike as of_page,
                             lag(frame_id, back) over alike as of_frame_id
                      from %2$s n,
                           generate_series(0, 48, 16) quarter, generate_series(1, 4) back
                      where dhash is not null
                      window alike as (partition by source, plate, channel, pipeline, pipeline_version, quarter, back,
                                                    (dhash >> quarter) & 65535 order by acquired_at, frame_id)) n
                where bit_count((dhash # of_dhash)::bit(64)) <= 3 and pixel_hash is distinct from of_pixel_hash
                order by source, plate, frame_id, acquired_at, pipeline, pipeline_version,
                         bit_count((dhash # of_dhash)::bit(64)), back) near $near$,
            place, scopestream_data.newest_frames('r.pixel_hash, r.dhash'));
    end if;
    execute format($view$
        create or replace view scopestream.duplicates as
        select %1$s, true as same_pixels, 0 as differing_bits, of_path, of_page, of_frame_id
        from (select n.*, first_value(path) over equal as of_path, first_value(page) over equal as of_page,
                     first_value(frame_id) over equal as of_frame_id
              from %2$s n where pixel_hash is not null
              window equal as (partition by source, pixel_hash, pipeline, pipeline_version
                               order by acquired_at, frame_id)) n
        where frame_id <> of_frame_id %3$s $view$,
        place, scopestream_data.newest_frames('r.pixel_hash'), near);
    comment on view scopestream.duplicates is 'Frames that show what an earlier one shows: a stuck camera, a file copied twice; the same pixels within a source, nearly the same within a plate and channel';
    comment on column scopestream.duplicates.differing_bits is 'of the 64 bits of dhash, up to 3; empty fields are all alike, and differ in none';
    comment on column scopestream.duplicates.same_pixels is 'whether they are the same pixel for pixel; else only alike';
    comment on column scopestream.duplicates.of_path is 'the earlier one: the first with the same pixels, or the most alike of those just before';
    comment on column scopestream.duplicates.of_page is 'its page';
    comment on column scopestream.duplicates.of_frame_id is 'its id';
end
$$;

create or replace function scopestream_data.make_between_frames_views() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if scopestream_data.has_columns('tile_mean') then
        perform scopestream_data.make_frame_changes();
        perform scopestream_data.make_channel_correlation();
    end if;
    if scopestream_data.has_columns('vollath_f4') then
        perform scopestream_data.make_best_planes();
    end if;
    if scopestream_data.has_columns('fg_mean', 'bg_mean') then
        perform scopestream_data.make_bleaching();
    end if;
    if scopestream_data.has_columns('pixel_hash') then
        perform scopestream_data.make_duplicates();
    end if;
    perform scopestream_data.explain_columns();
end
$$;

-- A view's column means what its table's column means, unless it says something else.
create or replace function scopestream_data.explain_columns() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told record;
begin
    for told in
        select distinct on (v.oid, va.attname) v.relname, va.attname, d.description
        from pg_class v
        join pg_attribute va on va.attrelid = v.oid and va.attnum > 0
        join pg_attribute ta on ta.attname = va.attname
        join pg_description d on d.objoid = ta.attrelid and d.objsubid = ta.attnum
        where v.relnamespace = 'scopestream'::regnamespace and v.relkind = 'v'
          and ta.attrelid in ('scopestream_data.frame'::regclass, 'scopestream_data.result'::regclass)
          and col_description(v.oid, va.attnum) is null
        order by v.oid, va.attname, ta.attrelid
    loop
        execute format('comment on column scopestream.%I.%I is %L', told.relname, told.attname, told.description);
    end loop;
    for told in
        select v.relname, a.attname from pg_class v join pg_attribute a on a.attrelid = v.oid
        where v.relnamespace = 'scopestream'::regnamespace and v.relname = any (scopestream_data.growing_views())
          and a.attname in ('pipeline', 'pipeline_version') and col_description(v.oid, a.attnum) is null
    loop
        execute format('comment on column scopestream.%I.%I is %L', told.relname, told.attname,
            case told.attname when 'pipeline' then 'list of measures that was asked for' else 'its version' end);
    end loop;
end
$$;

revoke execute on function scopestream_data.has_columns, scopestream_data.newest_frames,
    scopestream_data.make_frame_changes, scopestream_data.make_channel_correlation,
    scopestream_data.make_best_planes, scopestream_data.make_bleaching, scopestream_data.make_duplicates,
    scopestream_data.make_between_frames_views, scopestream_data.explain_columns from public;

do $$ begin perform scopestream_data.make_views(); end $$;

insert into scopestream_data.schema_migration (version, name, sha256) values (9, '009_between_frames.sql', '')
on conflict (version) do nothing;

reset role;
