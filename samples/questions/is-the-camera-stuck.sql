-- Is the camera stuck? No two exposures have the same noise: frames with the same pixels as an earlier one of the plate
-- are the same picture. The rule stuck_camera compares with all plates of the last week: scopestream.findings.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select acquired_at, plate, well, site, channel, path, of_path as same_picture_as, frame_id
from (select f.acquired_at, f.plate, f.well, f.site, f.channel, f.path, f.page, f.frame_id,
             first_value(f.path) over equal as of_path, first_value(f.frame_id) over equal as of_frame_id
      from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
      where f.pixel_hash is not null
      window equal as (partition by f.pixel_hash, f.pipeline, f.pipeline_version order by f.acquired_at, f.frame_id)) f
where frame_id <> of_frame_id
order by acquired_at, path, page;
