-- CellProfiler's names: a view with a row an image set, which is all channels of one place and time, and
-- a column for each number and channel, called as CellProfiler's table Image calls it.

set client_min_messages = warning;
set role scopestream_owner;

-- Channels as they are met, and what columns call them. Few: a naming that takes something else for a
-- channel shall not fill the table, so those beyond the first 256 are left out of the view.
create table if not exists scopestream_data.channel (
    channel_id integer generated always as identity primary key,
    name text not null,
    label text not null check (label ~ '^[A-Za-z0-9_]+$'),
    has_columns boolean not null default false,
    tried_at timestamptz,
    first_seen_at timestamptz not null default clock_timestamp()
);
-- By hash: a name may be longer than an ordered index can hold. Labels differ by more than case, for
-- SQLite, in which CellProfiler Analyst works, does not tell cases apart.
create unique index if not exists channel_name on scopestream_data.channel (md5(name));
create unique index if not exists channel_label on scopestream_data.channel (lower(label));
comment on table scopestream_data.channel is 'Channels of the frames that were met, for the columns of scopestream.cellprofiler';
comment on column scopestream_data.channel.name is 'as the instrument names it; Image where nothing names it';
comment on column scopestream_data.channel.label is 'the same with letters a-z, digits and _ alone, as CellProfiler wants it';
comment on column scopestream_data.channel.has_columns is 'whether the view has been made with it';
comment on column scopestream_data.channel.tried_at is 'when that was tried last';

-- The columns of the view in their order, which is that in which they became known: replacing a view may
-- add columns at its end and do nothing else.
create table if not exists scopestream_data.cellprofiler_column (
    position integer primary key check (position between 1 and 1600),
    column_name text not null unique check (octet_length(column_name) <= 63),
    full_name text not null,
    field text,
    number text references scopestream_data.measure,
    channel_id integer references scopestream_data.channel,
    check (field is null or number is null),
    unique (field, channel_id),
    unique (number, channel_id)
);
comment on table scopestream_data.cellprofiler_column is 'Columns of scopestream.cellprofiler';

insert into scopestream_data.cellprofiler_column (position, column_name, full_name, field)
select position, name, name, name
from unnest(array['ImageNumber', 'Metadata_Plate', 'Metadata_Well', 'Metadata_Site', 'Metadata_Z', 'Metadata_T',
                  'Metadata_Page', 'Metadata_Experiment', 'Metadata_Source', 'Metadata_Pipeline',
                  'Metadata_PipelineVersion']) with ordinality as fixed(name, position)
on conflict (position) do nothing;

-- --- channels ---

-- A frame whose channel is not known is of channel Image, which is what CellProfiler calls an image.
create or replace function scopestream_data.channel_name(channel text) returns text
    language sql immutable as $$
    select coalesce(nullif(channel, ''), 'Image')
$$;

-- Byte by byte, as scopestream-features measure --names cellprofiler has it.
create or replace function scopestream_data.plain_label(channel text) returns text
    language sql immutable as $$
    select regexp_replace(left(convert_from(convert_to(channel, 'UTF8'), 'LATIN1'), 64), '[^A-Za-z0-9_]', '_', 'g')
$$;

-- A label that no other channel has: with a number behind it, if need be.
create or replace function scopestream_data.new_label(channel text) returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select candidate
    from (select 1 as n, scopestream_data.plain_label(channel) as candidate
          union all
          select n, scopestream_data.plain_label(channel) || '_' || n from generate_series(2, 1000) n) candidates
    where not exists (select from scopestream_data.channel c where lower(c.label) = lower(candidate))
    order by n limit 1
$$;

create or replace function scopestream_data.store_channels(results jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    most constant integer := 256;
    met text;
begin
    for met in
        select distinct scopestream_data.channel_name(d #>> '{frame,channel}')
        from jsonb_array_elements(results) d
        except select name from scopestream_data.channel
        order by 1
    loop
        exit when (select count(*) from scopestream_data.channel) >= most;
        perform pg_advisory_xact_lock(hashtext('scopestream measures'));
        insert into scopestream_data.channel (name, label)
        values (met, scopestream_data.new_label(met)) on conflict do nothing;
    end loop;
    perform scopestream_data.refresh_cellprofiler();
end
$$;

-- A new channel's columns need the view for an instant. While somebody reads it that cannot be had: rows
-- are not made to wait for that, a later batch tries again.
create or replace function scopestream_data.refresh_cellprofiler() returns void
    language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
begin
    if not exists (select from scopestream_data.channel where not has_columns
                   and coalesce(tried_at < clock_timestamp() - interval '10 s', true))
       or not pg_try_advisory_xact_lock(hashtext('scopestream measures')) then
        return;
    end if;
    update scopestream_data.channel set tried_at = clock_timestamp() where not has_columns;
    begin
        perform scopestream_data.make_cellprofiler_view();
    exception when lock_not_available then
        null;
    end;
end
$$;

-- --- columns ---

-- PostgreSQL's names have at most 63 bytes: longer ones keep their beginning and end in a hash of the
-- whole. So does a name that is taken.
create or replace function scopestream_data.new_column_name(full_name text, distinction text) returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select candidate
    from (values (1, case when octet_length(full_name) <= 63 then full_name end),
                 (2, left(full_name, 54) || '_' || left(md5(full_name), 8)),
                 (3, left(full_name, 54) || '_' || left(md5(full_name || ' ' || distinction), 8))) c(n, candidate)
    where candidate is not null
      and not exists (select from scopestream_data.cellprofiler_column k where k.column_name = candidate)
    order by n limit 1
$$;

-- Every column there could be, in the order new ones shall be added: files, sizes, numbers. What a
-- catalogue calls CellProfiler's name and is none gives no column.
create or replace view scopestream_data.wanted_cellprofiler_column as
    select w.field, w.number, w.channel_id, w.full_name,
           row_number() over (order by w.part, w.place, w.label) as rank
    from (
        select 1 as part, place, field.name as field, null as number, c.channel_id, c.label,
               field.name || '_' || c.label as full_name
        from unnest(array['FileName', 'PathName', 'Height', 'Width']) with ordinality as field(name, place),
             scopestream_data.channel c
        union all
        select 2, a.attnum, null, m.name, c.channel_id, c.label, replace(m.cellprofiler, '{channel}', c.label)
        from scopestream_data.measure m
        join pg_attribute a on a.attrelid = 'scopestream_data.result'::regclass and a.attname = m.name,
             scopestream_data.channel c
        where m.kind = 'number'
          and m.cellprofiler ~ '^[A-Za-z][A-Za-z0-9_]*\{channel\}[A-Za-z0-9_]*$') w;
comment on view scopestream_data.wanted_cellprofiler_column is 'Columns scopestream.cellprofiler would have if there were room';

-- The view has room for 1600. Texture, with its hundreds of numbers, gets columns as long as half of that is free.
create or replace function scopestream_data.add_cellprofiler_columns() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wanted record;
    taken integer := (select max(position) from scopestream_data.cellprofiler_column);
begin
    for wanted in
        select * from scopestream_data.wanted_cellprofiler_column w
        where not exists (select from scopestream_data.cellprofiler_column k
                          where k.channel_id = w.channel_id
                            and (k.field = w.field or k.number = w.number))
        order by w.full_name like 'Texture\_%', w.rank
    loop
        continue when taken >= case when wanted.full_name like 'Texture\_%' then 800 else 1600 end;
        taken := taken + 1;
        insert into scopestream_data.cellprofiler_column
            (position, column_name, full_name, field, number, channel_id)
        values (taken, scopestream_data.new_column_name(wanted.full_name, wanted.number), wanted.full_name,
                wanted.field, wanted.number, wanted.channel_id);
    end loop;
end
$$;

-- --- the view ---

-- What a column is made of, from the frames of one image set: n is the newest of each channel.
create or replace function scopestream_data.cellprofiler_expression(k scopestream_data.cellprofiler_column)
    returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case
        when k.number is not null then format('max(n.%I) filter (where n.channel_id = %s)', k.number, k.channel_id)
        when k.channel_id is not null then format(case k.field
            when 'FileName' then 'regexp_replace(max(n.path) filter (where n.channel_id = %s), ''^.*/'', '''')'
            when 'PathName' then 'coalesce(substring(max(n.path) filter (where n.channel_id = %1$s) from ''^(.*)/''), '
                                 'case when count(*) filter (where n.channel_id = %1$s) > 0 then ''.'' end)'
            when 'Height' then 'max(n.height) filter (where n.channel_id = %s)'
            when 'Width' then 'max(n.width) filter (where n.channel_id = %s)' end, k.channel_id)
        else case k.field
            when 'ImageNumber' then '(row_number() over (partition by n.source, n.experiment, n.plate, n.pipeline, '
                                    'n.pipeline_version order by n.well, n.site, n.z, n.t, n.page, n.set_path))::integer'
            when 'Metadata_Plate' then 'n.plate'
            when 'Metadata_Well' then 'n.well'
            when 'Metadata_Site' then 'n.site'
            when 'Metadata_Z' then 'n.z'
            when 'Metadata_T' then 'n.t'
            when 'Metadata_Page' then 'n.page'
            when 'Metadata_Source' then 'n.source'
            when 'Metadata_Experiment' then 'n.experiment'
            when 'Metadata_Pipeline' then 'n.pipeline'
            when 'Metadata_PipelineVersion' then 'n.pipeline_version' end
        end
$$;

create or replace function scopestream_data.cellprofiler_comment(k scopestream_data.cellprofiler_column)
    returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select case
        when k.channel_id is not null then format('%s%s; channel %s', coalesce(k.full_name || ': ', ''), coalesce(
            (select m.name || ', ' || split_part(scopestream_data.measure_comment(m), '; CellProfiler: ', 1)
             from scopestream_data.measure m where m.name = k.number),
            case k.field when 'FileName' then 'name of the file, as in path' when 'PathName' then 'its folder below the source''s'
                         when 'Height' then 'pixels' when 'Width' then 'pixels' end),
            (select left(c.name, 200) from scopestream_data.channel c where c.channel_id = k.channel_id))
        else case k.field
            when 'ImageNumber' then 'counts the image sets of a source, experiment, plate and pipeline version, in the order of wells, sites, planes and times'
            when 'Metadata_Plate' then 'plate'
            when 'Metadata_Well' then 'well'
            when 'Metadata_Site' then 'field of view in the well'
            when 'Metadata_Z' then 'focal plane'
            when 'Metadata_T' then 'time point'
            when 'Metadata_Page' then '0-based page of a multi-page file'
            when 'Metadata_Source' then 'configured name of the microscope''s output'
            when 'Metadata_Experiment' then 'as the folder names tell'
            when 'Metadata_Pipeline' then 'list of measures that was asked for'
            when 'Metadata_PipelineVersion' then 'its version; a frame measured by two versions is in two rows' end
        end
$$;

-- Frames in the place they stand, for those who pivot them: where names tell no place, each file stands
-- alone. A place imaged again, or a file written again, counts with its newest picture. A column nobody
-- asks for is not computed, and a plate asked for is all that is read.
create or replace function scopestream_data.make_cellprofiler_view() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.cellprofiler_column;
    left_out text;
begin
    perform scopestream_data.add_cellprofiler_columns();
    execute format($view$
        create or replace view scopestream.cellprofiler as
        select %s
        from (select distinct on (f.source, f.experiment, f.plate, f.well, f.site, f.z, f.t, f.page, set_path,
                                  p.name, p.version, c.channel_id)
                     f.source, f.experiment, f.plate, f.well, f.site, f.z, f.t, f.page, set_path,
                     p.name as pipeline, p.version as pipeline_version, c.channel_id,
                     f.path, f.height, f.width%s
              from scopestream_data.frame f
              join scopestream_data.result r using (frame_id, acquired_at)
              join scopestream_data.pipeline p using (pipeline_id)
              join scopestream_data.channel c on c.name = coalesce(nullif(f.channel, ''), 'Image'),
              lateral (select case when f.naming is null then f.path end as set_path) s
              where r.status = 'ok'
              order by f.source, f.experiment, f.plate, f.well, f.site, f.z, f.t, f.page, set_path,
                       p.name, p.version, c.channel_id, r.acquired_at desc, r.frame_id) n
        group by n.source, n.experiment, n.plate, n.well, n.site, n.z, n.t, n.page, n.set_path,
                 n.pipeline, n.pipeline_version $view$,
        (select string_agg(format('%s as %I', scopestream_data.cellprofiler_expression(k), k.column_name), ', '
                           order by k.position)
         from scopestream_data.cellprofiler_column k),
        (select string_agg(format(', r.%I', number), '' order by number)
         from (select distinct number from scopestream_data.cellprofiler_column where number is not null) numbers));

    for told in
        select k.* from scopestream_data.cellprofiler_column k
        join pg_attribute a on a.attrelid = 'scopestream.cellprofiler'::regclass and a.attname = k.column_name
        where col_description(a.attrelid, a.attnum) is distinct from scopestream_data.cellprofiler_comment(k)
    loop
        execute format('comment on column scopestream.cellprofiler.%I is %L', told.column_name,
                       scopestream_data.cellprofiler_comment(told));
    end loop;
    select format('; %s columns have no room, such as %s: scopestream-store export --cellprofiler writes all',
                  count(*), min(w.full_name))
    into left_out
    from scopestream_data.wanted_cellprofiler_column w
    where not exists (select from scopestream_data.cellprofiler_column k
                      where k.channel_id = w.channel_id and (k.field = w.field or k.number = w.number))
    having count(*) > 0;
    execute format('comment on view scopestream.cellprofiler is %L',
        'What was measured with CellProfiler''s names: a row an image set, all channels of one place and time, '
        'with its newest frames; full names and what they mean stand in scopestream.cellprofiler_columns'
        || coalesce(left_out, ''));
    update scopestream_data.channel set has_columns = true where not has_columns;
end
$$;

create or replace view scopestream.cellprofiler_columns as
    select column_name, full_name, name, channel, field
    from (select k.position, 0 as rank, k.column_name, k.full_name, k.number as name, null as channel, k.field
          from scopestream_data.cellprofiler_column k where k.channel_id is null
          union all
          select k.position, w.rank, k.column_name, w.full_name, w.number, c.name, w.field
          from scopestream_data.wanted_cellprofiler_column w
          join scopestream_data.channel c using (channel_id)
          left join scopestream_data.cellprofiler_column k
              on k.channel_id = w.channel_id and (k.number = w.number or k.field = w.field)) columns
    order by position nulls last, rank;
comment on view scopestream.cellprofiler_columns is 'What the columns of scopestream.cellprofiler are, and those it has no room for';
comment on column scopestream.cellprofiler_columns.column_name is 'in the view: the full name, shortened where PostgreSQL would not hold it; NULL where the view has no room';
comment on column scopestream.cellprofiler_columns.full_name is 'as CellProfiler has it, and scopestream-store export --cellprofiler';
comment on column scopestream.cellprofiler_columns.name is 'of the measured number; NULL for what is none';
comment on column scopestream.cellprofiler_columns.channel is 'as the instrument names it; Image where nothing names it';
comment on column scopestream.cellprofiler_columns.field is 'of what is no measured number: FileName, PathName, Height, Width, or the name itself';

-- Rows of before have channels, too.
do $$
declare
    met text;
begin
    for met in
        select distinct coalesce(nullif(channel, ''), 'Image') from scopestream_data.frame
        except select name from scopestream_data.channel
        order by 1 limit 256
    loop
        insert into scopestream_data.channel (name, label) values (met, scopestream_data.new_label(met));
    end loop;
end
$$;

revoke execute on function scopestream_data.channel_name, scopestream_data.plain_label,
    scopestream_data.new_label, scopestream_data.store_channels, scopestream_data.refresh_cellprofiler,
    scopestream_data.new_column_name, scopestream_data.add_cellprofiler_columns,
    scopestream_data.cellprofiler_expression, scopestream_data.cellprofiler_comment,
    scopestream_data.make_cellprofiler_view from public;

insert into scopestream_data.schema_migration (version, name, sha256) values (8, '008_cellprofiler.sql', '')
on conflict (version) do nothing;

reset role;
