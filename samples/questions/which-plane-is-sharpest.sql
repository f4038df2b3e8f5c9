-- Which plane is the sharpest at each site? Where it is the first or the last, focus may lie outside
-- the stack; where the least sharp is near the sharpest, no plane is sharp.
select plate, well, site, channel, t, best_z as sharpest_plane, planes, at_the_end,
       round((least_vollath_f4 / nullif(vollath_f4, 0))::numeric, 3) as least_of_it
from scopestream.best_planes
order by plate, well, site, channel, t;
