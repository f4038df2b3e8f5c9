-- Which wells changed most from one time point to the next? 0: nothing moved; 1: nothing is where it was.
-- One step that stands out in many wells at once is a knocked plate or a focus jump.
select plate, well, site, channel, previous_t, t, round(change::numeric, 3) as change
from scopestream.frame_changes
where change > 0.2
order by change desc
limit 50;
