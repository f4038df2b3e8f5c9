-- Which plane is the sharpest at each site? And how much sharper than the worst: near 1, no plane is.
select distinct on (plate, well, site, channel, t)
       plate, well, site, channel, t, z as sharpest_plane,
       count(*) over (partition by plate, well, site, channel, t) as planes,
       round((vollath_f4 / nullif(min(vollath_f4) over (partition by plate, well, site, channel, t), 0))::numeric,
             2) as times_the_worst
from scopestream.features
where z is not null
order by plate, well, site, channel, t, vollath_f4 desc;
