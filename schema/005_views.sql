-- What people ask. features and wells, whose columns grow with the catalogue, are made in 004.

set client_min_messages = warning;
set role scopestream_owner;

create or replace view scopestream.frames as
    select f.acquired_at, f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t,
           f.path, f.page, f.pages, f.frame_id, f.size_bytes, f.mtime_ns, f.closed_at, f.naming,
           f.format, f.width, f.height, f.bits, f.samples, f.pixel_size_um,
           p.name as pipeline, p.version as pipeline_version, r.status, r.reason, r.delivery,
           r.attempt, r.worker, r.offered_at, r.taken_at, r.received_at, r.decoded_at,
           r.measured_at, r.stored_at,
           extract(epoch from r.stored_at - f.closed_at)::double precision as latency_s
    from scopestream_data.frame f
    join scopestream_data.result r using (frame_id, acquired_at)
    join scopestream_data.pipeline p using (pipeline_id);
comment on view scopestream.frames is 'Every frame and what became of it, measured or not';
comment on column scopestream.frames.pipeline is 'list of measures that was asked for';
comment on column scopestream.frames.pipeline_version is 'its version; a frame measured by two versions has two rows';
comment on column scopestream.frames.latency_s is 'seconds from the file being closed to its row being written';

create or replace view scopestream.failures as
    select stored_at, status, reason, acquired_at, source, experiment, plate, well, site, channel, z, t,
           path, page, frame_id, size_bytes, pipeline, pipeline_version, delivery, attempt, worker
    from scopestream.frames where status <> 'ok';
comment on view scopestream.failures is 'Frames without numbers, and why';
comment on column scopestream.failures.pipeline is 'list of measures that was asked for';
comment on column scopestream.failures.pipeline_version is 'its version';

-- The limit stands inside, so that it costs the same however long the table has grown.
create or replace view scopestream.newest as
    select r.stored_at, f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t, f.path,
           f.page, r.frame_id, f.closed_at, r.status, r.reason,
           extract(epoch from r.stored_at - f.closed_at)::double precision as latency_s
    from (select frame_id, acquired_at, stored_at, status, reason
          from scopestream_data.result order by stored_at desc limit 1000) r
    join scopestream_data.frame f using (frame_id, acquired_at);
comment on view scopestream.newest is 'The last 1000 rows that were written, at once';
comment on column scopestream.newest.latency_s is 'seconds from the file being closed to its row being written';

create or replace view scopestream.progress as
    select source, experiment, plate, pipeline, pipeline_version,
           count(*) as frames,
           count(*) filter (where status = 'ok') as ok,
           count(*) filter (where status = 'broken') as broken,
           count(*) filter (where status = 'vanished') as vanished,
           count(*) filter (where status = 'poison') as poison,
           count(distinct well) as wells,
           min(acquired_at) as first_acquired_at,
           max(acquired_at) as last_acquired_at,
           max(stored_at) as last_stored_at,
           percentile_cont(0.5) within group (order by latency_s) as latency_p50_s,
           percentile_cont(0.95) within group (order by latency_s) as latency_p95_s,
           percentile_cont(0.99) within group (order by latency_s) as latency_p99_s
    from scopestream.frames
    group by source, experiment, plate, pipeline, pipeline_version;
comment on view scopestream.progress is 'How far each plate is, and how fast its rows came after its files';
comment on column scopestream.progress.pipeline is 'list of measures that was asked for';
comment on column scopestream.progress.pipeline_version is 'its version';
comment on column scopestream.progress.frames is 'frames that have a row, whatever became of them';
comment on column scopestream.progress.ok is 'of these, measured';
comment on column scopestream.progress.broken is 'of these, no readable image';
comment on column scopestream.progress.vanished is 'of these, gone or changed before they were measured';
comment on column scopestream.progress.poison is 'of these, ended worker processes';
comment on column scopestream.progress.wells is 'different wells seen';
comment on column scopestream.progress.first_acquired_at is 'of its first frame';
comment on column scopestream.progress.last_acquired_at is 'of its last frame';
comment on column scopestream.progress.last_stored_at is 'when its newest row was written';
comment on column scopestream.progress.latency_p50_s is 'median seconds from file closed to row written';
comment on column scopestream.progress.latency_p95_s is 'the same for the slowest 5 in 100';
comment on column scopestream.progress.latency_p99_s is 'the same for the slowest 1 in 100';

create or replace view scopestream.totals as
    select p.name as pipeline, p.version as pipeline_version, t.status, t.frames
    from scopestream_data.tally t join scopestream_data.pipeline p using (pipeline_id);
comment on view scopestream.totals is 'Frames stored so far, by status; at once, however many there are';
comment on column scopestream.totals.pipeline is 'list of measures that was asked for';
comment on column scopestream.totals.pipeline_version is 'its version';
comment on column scopestream.totals.frames is 'rows written; those of months dropped since still count';

create or replace view scopestream.thumbnails as
    select f.acquired_at, f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t,
           f.path, f.page, f.frame_id, i.mime, i.width, i.height, i.low, i.high, i.image
    from scopestream_data.frame f join scopestream_data.thumbnail i using (frame_id, acquired_at);
comment on view scopestream.thumbnails is 'Small pictures of the frames';

create or replace view scopestream.measures as
    select name, unit, formula, source, detects, cellprofiler, cost, version, announced_at
    from scopestream_data.measure;
comment on view scopestream.measures is 'What each measured number is: the columns of scopestream.features, explained';
comment on column scopestream.measures.name is 'of the column in scopestream.features';
comment on column scopestream.measures.unit is 'of the number';
comment on column scopestream.measures.formula is 'how it is computed';
comment on column scopestream.measures.cost is 'how dear it is to compute';
comment on column scopestream.measures.version is 'of the computation; another version may give another number';
comment on column scopestream.measures.announced_at is 'when a worker announced it in these words';
comment on column scopestream.measures.source is 'where the formula comes from';
comment on column scopestream.measures.detects is 'what it is good for';
comment on column scopestream.measures.cellprofiler is 'the name CellProfiler gives the same number';

create or replace view scopestream.events as
    select at, source, level, event, path, detail from scopestream_data.event;
comment on view scopestream.events is 'What a person should know: files that stay unfinished, folders that went away';

create or replace view scopestream.rejected as
    select rejected_at, subject, sqlstate, error, document from scopestream_data.rejected;
comment on column scopestream.events.at is 'when it was noticed';
comment on column scopestream.events.source is 'microscope''s output it concerns';
comment on column scopestream.events.level is 'info, warning, error';
comment on column scopestream.events.event is 'unfinished, source-away, source-back, unreadable';
comment on column scopestream.events.path is 'file or folder below the source''s folder, if it is about one';
comment on column scopestream.events.detail is 'in words';
comment on view scopestream.rejected is 'Documents that could not be stored, and why';

comment on column scopestream.rejected.rejected_at is 'when';
comment on column scopestream.rejected.subject is 'NATS subject it came by';
comment on column scopestream.rejected.sqlstate is 'PostgreSQL''s error code; null when the store refused it before asking';
comment on column scopestream.rejected.error is 'why';
comment on column scopestream.rejected.document is 'its text';

-- A01 is row 1, column 1; AF48 is row 32, column 48. NULL for what is no well.
create or replace function scopestream.well_row(well text) returns integer
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case when well ~ '^[A-Z]\d+$' then ascii(well) - 64
                when well ~ '^[A-Z]{2}\d+$' then 26 * (ascii(well) - 64) + ascii(substr(well, 2)) - 64 end
$$;
create or replace function scopestream.well_column(well text) returns integer
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select substring(well from '^[A-Z]{1,2}(\d{1,4})$')::integer
$$;
comment on function scopestream.well_row is 'Row of a well, from 1: well_row(''C05'') is 3';
comment on function scopestream.well_column is 'Column of a well, from 1: well_column(''C05'') is 5';

-- A view's column means what its table's column means.
do $$
declare
    view_column record;
begin
    for view_column in
        select distinct on (v.oid, va.attname) v.relname, va.attname, d.description
        from pg_class v
        join pg_attribute va on va.attrelid = v.oid and va.attnum > 0
        join pg_attribute ta on ta.attname = va.attname
        join pg_description d on d.objoid = ta.attrelid and d.objsubid = ta.attnum
        where v.relnamespace = 'scopestream'::regnamespace and v.relkind = 'v'
          and ta.attrelid in ('scopestream_data.frame'::regclass, 'scopestream_data.result'::regclass,
                              'scopestream_data.thumbnail'::regclass)
          and col_description(v.oid, va.attnum) is null
        order by v.oid, va.attname, case ta.attrelid
            when 'scopestream_data.thumbnail'::regclass then (v.relname <> 'thumbnails')::int
            else 0 end, ta.attrelid
    loop
        execute format('comment on column scopestream.%I.%I is %L',
                       view_column.relname, view_column.attname, view_column.description);
    end loop;
end
$$;

reset role;
