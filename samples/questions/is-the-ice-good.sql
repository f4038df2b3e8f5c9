-- Is the ice good, grid square by grid square? For electron microscopes: ice_rel (well above 1: crystalline),
-- contrast_ratio (low: empty holes or thick ice; high: carbon, contamination) and brightness of the newest frames, in
-- percent of the usual, by the folder they lie in, which is a grid square for those who write them so (else it is the
-- session). Squares whose numbers stray are worth skipping. Thon limit and drift cannot be asked: both need the movie
-- or a fit of the contrast transfer, and no measure gives them. Frames with pixels larger than 1.7 A have no ice_rel.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
frame as materialized (
    select coalesce(f.well, substring(f.path from '^(.*)/'), '.') as square, f.acquired_at, f.ice_rel, f.contrast_ratio,
           f.mean
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    order by f.acquired_at desc
    limit 20000),
usual as materialized (
    select percentile_cont(0.5) within group (order by mean) as mean from frame)
select f.square, count(*) as frames, count(f.ice_rel) as frames_with_ice_rel, max(f.acquired_at) as last_acquired_at,
       round(percentile_cont(0.5) within group (order by f.ice_rel)::numeric, 2) as ice_rel,
       round(max(f.ice_rel)::numeric, 2) as most_ice_rel,
       round(percentile_cont(0.5) within group (order by f.contrast_ratio)::numeric, 4) as contrast_ratio,
       round((100 * percentile_cont(0.5) within group (order by f.mean / nullif(u.mean, 0)))::numeric, 1)
           as percent_of_usual_brightness
from frame f
cross join usual u
group by f.square
order by ice_rel desc nulls last, f.square
limit 500;
