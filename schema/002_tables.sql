-- The tables. Columns are called as the members of docs/wire.md, so that a document expands into a
-- row by name. frame, result and thumbnail are partitioned by month on acquired_at, which is a
-- function of the file alone: the same frame always meets the same row.

set client_min_messages = warning;
set role scopestream_owner;

create table if not exists scopestream_data.frame (
    frame_id uuid not null,
    acquired_at timestamptz not null,
    source text not null,
    experiment text,
    plate text,
    well text,
    site integer,
    channel text,
    z integer,
    t integer,
    path text not null,
    page integer not null default 0,
    pages integer not null default 1,
    size_bytes bigint,
    mtime_ns bigint,
    closed_at timestamptz,
    naming text,
    format text,
    width integer,
    height integer,
    bits integer,
    samples integer,
    pixel_size_um double precision,
    primary key (frame_id, acquired_at)
) partition by range (acquired_at);

create index if not exists frame_place on scopestream_data.frame (plate, channel, well);
-- By hash: a path may be longer than an ordered index can hold.
create index if not exists frame_path on scopestream_data.frame using hash (path);
create index if not exists frame_time on scopestream_data.frame using brin (acquired_at);

comment on table scopestream_data.frame is 'What was imaged and where: one 2-D image plane a row, one page of one file';
comment on column scopestream_data.frame.frame_id is 'UUID made of source, path, size, modification time and page: a rewritten file is another frame';
comment on column scopestream_data.frame.acquired_at is 'modification time of the file, kept within 2000 to 2099';
comment on column scopestream_data.frame.source is 'configured name of the microscope''s output';
comment on column scopestream_data.frame.experiment is 'as the folder names tell';
comment on column scopestream_data.frame.plate is 'as folder and file name tell';
comment on column scopestream_data.frame.well is 'letters and two digits: A01, P24';
comment on column scopestream_data.frame.site is 'field of view in the well, as the instrument counts';
comment on column scopestream_data.frame.channel is 'as the instrument names it';
comment on column scopestream_data.frame.z is 'focal plane, as the instrument counts';
comment on column scopestream_data.frame.t is 'time point, as the instrument counts';
comment on column scopestream_data.frame.path is 'below the source''s folder; bytes that are not UTF-8, and %, are percent-encoded';
comment on column scopestream_data.frame.page is '0-based page of a multi-page file';
comment on column scopestream_data.frame.pages is 'pages the file has';
comment on column scopestream_data.frame.size_bytes is 'of the whole file';
comment on column scopestream_data.frame.mtime_ns is 'modification time of the file, nanoseconds since 1970';
comment on column scopestream_data.frame.closed_at is 'when the file was seen closed: latency starts here';
comment on column scopestream_data.frame.naming is 'instrument whose file naming matched';
comment on column scopestream_data.frame.format is 'of the file: tiff, png';
comment on column scopestream_data.frame.width is 'pixels';
comment on column scopestream_data.frame.height is 'pixels';
comment on column scopestream_data.frame.bits is 'per sample';
comment on column scopestream_data.frame.samples is 'per pixel: 1 grey, 3 RGB';
comment on column scopestream_data.frame.pixel_size_um is 'micrometres per pixel, where the metadata tells';

create table if not exists scopestream_data.pipeline (
    pipeline_id integer generated always as identity primary key,
    name text not null check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
    version integer not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    unique (name, version)
);
comment on table scopestream_data.pipeline is 'Named, versioned lists of measures; a row appears with its first result';

create table if not exists scopestream_data.result (
    frame_id uuid not null,
    acquired_at timestamptz not null,
    pipeline_id integer not null references scopestream_data.pipeline,
    status text not null check (status in ('ok', 'broken', 'vanished', 'poison')),
    reason text,
    delivery text,
    attempt integer,
    worker text,
    offered_at timestamptz,
    taken_at timestamptz,
    received_at timestamptz,
    decoded_at timestamptz,
    measured_at timestamptz,
    stored_at timestamptz not null default clock_timestamp(),
    other_values jsonb,
    primary key (frame_id, pipeline_id, acquired_at)
    -- One double precision column a measure follows: announce_measures() adds them.
    -- No reference to frame: both rows are written by one statement, and the check would cost as
    -- much as the insert.
) partition by range (acquired_at);

create index if not exists result_time on scopestream_data.result using brin (acquired_at);
create index if not exists result_stored on scopestream_data.result (stored_at);
create index if not exists result_failed on scopestream_data.result (stored_at) where status <> 'ok';
create index if not exists result_other on scopestream_data.result (pipeline_id) where other_values is not null;

comment on table scopestream_data.result is 'What was measured: one row a frame and pipeline, one column a measured number';
comment on column scopestream_data.result.status is 'ok; broken: no readable image; vanished: gone or changed before it was measured; poison: it ended worker processes';
comment on column scopestream_data.result.reason is 'why, when the status is not ok';
comment on column scopestream_data.result.delivery is 'way the bytes reached the worker: inline, path, direct, fetch';
comment on column scopestream_data.result.attempt is 'which offer of the frame this was, from 1';
comment on column scopestream_data.result.worker is 'host/process that measured';
comment on column scopestream_data.result.offered_at is 'when ingest put the frame into the queue';
comment on column scopestream_data.result.taken_at is 'when a worker took it';
comment on column scopestream_data.result.received_at is 'when the worker had its bytes';
comment on column scopestream_data.result.decoded_at is 'when the worker had its pixels';
comment on column scopestream_data.result.measured_at is 'when the measures were done';
comment on column scopestream_data.result.stored_at is 'when the row was written, just before its commit';
comment on column scopestream_data.result.other_values is 'measured numbers that no catalogue has announced yet; they move into their columns when one does';

create table if not exists scopestream_data.thumbnail (
    frame_id uuid not null,
    acquired_at timestamptz not null,
    mime text not null,
    width integer,
    height integer,
    low double precision,
    high double precision,
    image bytea not null check (octet_length(image) <= 1048576),
    primary key (frame_id, acquired_at)
) partition by range (acquired_at);
alter table scopestream_data.thumbnail alter column image set storage external; -- compressed already

comment on table scopestream_data.thumbnail is 'A small picture of the frame';
comment on column scopestream_data.thumbnail.mime is 'image/jpeg, image/png';
comment on column scopestream_data.thumbnail.width is 'pixels of the thumbnail';
comment on column scopestream_data.thumbnail.height is 'pixels of the thumbnail';
comment on column scopestream_data.thumbnail.low is 'intensity shown black, in the unit of mean';
comment on column scopestream_data.thumbnail.high is 'intensity shown white, in the unit of mean';
comment on column scopestream_data.thumbnail.image is 'the image file''s bytes';

create table if not exists scopestream_data.measure (
    name text primary key check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    unit text,
    formula text,
    source text,
    detects text,
    cellprofiler text,
    cost text,
    version integer not null default 1,
    announced_at timestamptz not null default clock_timestamp()
);
comment on table scopestream_data.measure is 'Catalogue: what each measured number is; filled by announce_measures()';

create table if not exists scopestream_data.event (
    event_id bigint generated always as identity primary key,
    at timestamptz not null,
    source text,
    path text,
    level text not null,
    event text not null,
    detail text,
    document_md5 uuid not null unique
);
create index if not exists event_time on scopestream_data.event (at);
comment on table scopestream_data.event is 'Something a person should know: a file that stays unfinished, a folder that went away';
comment on column scopestream_data.event.document_md5 is 'of the document, so that a replay adds nothing';

create table if not exists scopestream_data.rejected (
    rejected_id bigint generated always as identity primary key,
    rejected_at timestamptz not null default clock_timestamp(),
    subject text,
    sqlstate text,
    error text not null,
    document text not null,
    document_md5 uuid not null unique
);
comment on table scopestream_data.rejected is 'Documents that could not be stored, each with the reason and its whole text';
comment on column scopestream_data.rejected.subject is 'NATS subject it came by';
comment on column scopestream_data.rejected.sqlstate is 'PostgreSQL''s error code; null when the store refused it before asking';
comment on column scopestream_data.rejected.document is 'its text; bytes that PostgreSQL cannot hold are replaced';

-- Counting a partitioned table of many millions takes seconds; the tally takes none. Triggers keep
-- it, because only they tell a new row from one that replaced a failure.
create table if not exists scopestream_data.tally (
    pipeline_id integer not null references scopestream_data.pipeline,
    status text not null,
    frames bigint not null,
    primary key (pipeline_id, status)
) with (fillfactor = 50);
comment on table scopestream_data.tally is 'How many rows result has been given, by pipeline and status; months dropped later still count';

create or replace function scopestream_data.tally_add() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.tally as tally (pipeline_id, status, frames)
    select pipeline_id, status, count(*) from added group by pipeline_id, status order by 1, 2
    on conflict (pipeline_id, status) do update set frames = tally.frames + excluded.frames;
    return null;
end
$$;

create or replace function scopestream_data.tally_move() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.tally as tally (pipeline_id, status, frames)
    select pipeline_id, status, sum(change)
    from (select pipeline_id, status, 1 as change from after_rows
          union all select pipeline_id, status, -1 from before_rows) as changes
    group by pipeline_id, status having sum(change) <> 0 order by 1, 2
    on conflict (pipeline_id, status) do update set frames = tally.frames + excluded.frames;
    return null;
end
$$;

create or replace trigger tally_add after insert on scopestream_data.result
    referencing new table as added
    for each statement execute function scopestream_data.tally_add();
create or replace trigger tally_move after update on scopestream_data.result
    referencing old table as before_rows new table as after_rows
    for each statement execute function scopestream_data.tally_move();

reset role;
