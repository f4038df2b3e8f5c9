-- Which plane is the sharpest at each site? Where it is the first or the last, focus may lie outside the stack; where
-- the least sharp is near the sharpest, no plane is sharp. Within a stack vollath_f4 tells best (docs/focus.md).
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select plate, well, site, channel, t, best_z as sharpest_plane, planes, at_the_end,
       round((least_vollath_f4 / nullif(vollath_f4, 0))::numeric, 3) as least_of_it, frame_id
from scopestream.best_planes
where source = (select source from asked)
  and (plate = (select plate from asked) or plate is null and (select plate from asked) is null)
order by plate, well, site, channel, t;
