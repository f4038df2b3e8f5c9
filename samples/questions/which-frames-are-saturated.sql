-- Which frames are saturated? A hot pixel clips in every picture; a hundredth of the pixels does not.
select plate, well, site, channel, z, t,
       round(pct_saturated::numeric, 2) as percent_of_pixels, path
from scopestream.features
where pct_saturated > 0.1
order by pct_saturated desc, acquired_at
limit 50;
