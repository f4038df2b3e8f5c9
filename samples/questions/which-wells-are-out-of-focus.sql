-- Which wells and sites are out of focus in any channel? Those with less than half of the focus that is usual in their
-- channel. Of a stack the sharpest plane counts, of a time series the last time. Focus depends neither on the exposure
-- nor on how many cells there are; frames that hold too little to tell, empty ones or nearly so, are left out.
-- docs/focus.md tells more. A frame's picture: select image from scopestream.thumbnails where frame_id = '...'; its
-- whole story: select * from scopestream.trace('...'). As a map: where-is-the-plate-out-of-focus.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
field as (
    select distinct on (f.well, f.site, f.channel) f.well, f.site, f.channel, f.z, f.t, f.focus, f.plls, f.frame_id
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.focus_snr >= 200 and f.well is not null
    order by f.well, f.site, f.channel, f.t desc nulls last, f.focus desc),
usual as materialized (
    select channel, percentile_cont(0.5) within group (order by focus) as focus
    from field
    group by channel)
select f.well, f.site, f.channel, round((100 * f.focus / nullif(u.focus, 0))::numeric, 1) as percent_of_usual_focus,
       round(f.plls::numeric, 2) as plls, f.frame_id
from field f
join usual u on u.channel is not distinct from f.channel
where f.focus < u.focus / 2
order by f.focus / nullif(u.focus, 0), f.well, f.site, f.channel;
