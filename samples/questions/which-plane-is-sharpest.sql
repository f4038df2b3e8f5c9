-- Which plane is the sharpest at each site? And how much sharper than the worst: near 1, no plane is.
-- Sharpness as in which-wells-are-out-of-focus.sql.
with plane as (
    select plate, well, site, channel, t, z, tenengrad / nullif(std, 0) ^ 2 as sharpness
    from scopestream.features
    where z is not null),
ranked as (
    select plane.*, row_number() over (site_planes order by sharpness desc nulls last) as rank,
           count(*) over site_planes as planes, min(sharpness) over site_planes as worst
    from plane
    window site_planes as (partition by plate, well, site, channel, t))
select plate, well, site, channel, t, z as sharpest_plane, planes,
       round((sharpness / nullif(worst, 0))::numeric, 2) as times_the_worst
from ranked
where rank = 1
order by plate, well, site, channel, t;
