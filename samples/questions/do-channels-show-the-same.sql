-- Do two channels show the same? Near 1 at most sites: a filter that did not turn, or one dye that
-- shines into the other's channel.
select plate, channel, other_channel, count(*) as sites,
       round(percentile_cont(0.5) within group (order by r)::numeric, 3) as median_r
from scopestream.channel_correlation
group by plate, channel, other_channel
order by plate, median_r desc nulls last;
