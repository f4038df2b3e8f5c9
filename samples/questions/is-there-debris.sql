-- Is there debris or a fibre, and in how many fields of each well? Debris outshines cells in a few places: three of 256
-- tiles have much of the light (bright_tile_share), or a few pixels are far above the brightest thousandth (max -
-- p999). A field is counted where either lies more than 5 robust standard deviations above its channel's median, and
-- the brightest tiles have at least a tenth of the light; few and bright cells look the same, so look at the worst one.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
field as (
    select f.well, f.site, f.channel, f.frame_id, f.bright_tile_share, f.max - f.p999 as above_p999
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.well is not null and f.focus_snr >= 200),
usual as materialized (
    select channel, percentile_cont(0.5) within group (order by bright_tile_share) as bright_tile_share,
           percentile_cont(0.5) within group (order by above_p999) as above_p999
    from field
    group by channel),
spread as materialized (
    select f.channel,
           1.4826 * percentile_cont(0.5) within group (order by abs(f.bright_tile_share - u.bright_tile_share))
               as bright_tile_share,
           1.4826 * percentile_cont(0.5) within group (order by abs(f.above_p999 - u.above_p999)) as above_p999
    from field f join usual u on u.channel is not distinct from f.channel
    group by f.channel),
judged as (
    select f.*, (f.bright_tile_share - u.bright_tile_share) / greatest(s.bright_tile_share, 0.005) as share_z,
           (f.above_p999 - u.above_p999) / greatest(s.above_p999, 0.002) as above_z
    from field f
    join usual u on u.channel is not distinct from f.channel
    join spread s on s.channel is not distinct from f.channel)
select well, channel, count(*) as fields,
       count(*) filter (where greatest(share_z, above_z) > 5 and bright_tile_share > 0.1) as fields_with_debris,
       round(max(bright_tile_share)::numeric, 3) as most_light_in_3_tiles,
       round(max(share_z)::numeric, 1) as share_z, round(max(above_p999)::numeric, 4) as most_above_p999,
       round(max(above_z)::numeric, 1) as above_p999_z,
       (array_agg(frame_id order by greatest(share_z, above_z) desc nulls last))[1] as worst_frame_id
from judged
group by well, channel
having count(*) filter (where greatest(share_z, above_z) > 5 and bright_tile_share > 0.1) > 0
order by fields_with_debris desc, share_z desc, well, channel;
