-- A plate as if it had been measured: one frame a well and channel, numbers that grow over the plate.
\set ON_ERROR_STOP 1
create temporary table seeded as
    select gen_random_uuid() as frame_id, now() - make_interval(mins => :ago) + n * interval '1 ms' as acquired_at,
           scopestream_data.well_name(r, c) as well, channel, r, c
    from generate_series(1, :rows) r, generate_series(1, :columns) c, unnest('{DAPI,GFP}'::text[]) channel,
         lateral (select (r * 100 + c) as n) n;
insert into scopestream_data.frame (frame_id, acquired_at, closed_at, source, plate, well, site, channel, path)
    select frame_id, acquired_at, now(), 'scope', :'plate', well, 1, channel, well || '_' || channel || '.tif' from seeded;
insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status, focus, mean)
    select frame_id, acquired_at, (select min(pipeline_id) from scopestream_data.pipeline), 'ok',
           0.02 + 0.001 * r + 0.0003 * c + 0.002 * random(), 0.1 + 0.01 * r from seeded;
