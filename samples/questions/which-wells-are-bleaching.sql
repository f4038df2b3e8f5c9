-- Which wells lose their signal? A hundredth or more at each time point, over the sites whose loss is
-- steady.
select plate, well, channel, count(*) as sites,
       round((100 * avg(rate_per_t))::numeric, 2) as percent_per_time_point,
       round((100 * avg(rate_per_hour))::numeric, 1) as percent_per_hour
from scopestream.bleaching
where r2 > 0.8
group by plate, well, channel
having avg(rate_per_t) < -0.01
order by avg(rate_per_t), plate, well, channel;
