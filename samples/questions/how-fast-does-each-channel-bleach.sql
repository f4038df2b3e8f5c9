-- How fast does each channel bleach? The slope of ln(fg_mean - bg_mean) over the time points of each site: its median
-- over the sites of the channel, a time point and an hour, and how far sites differ (robust standard deviations). Minus
-- 1 percent a time point and more is worth less light; a plus is growth, or a stain that comes. half_life: time points
-- until half of the signal is gone. Which wells are unlike the others: which-wells-are-bleaching.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
site as materialized (
    select channel, rate_per_t, rate_per_hour, frames
    from scopestream.bleaching
    where source = (select source from asked)
      and (plate = (select plate from asked) or plate is null and (select plate from asked) is null)
      and frames > 2),
usual as materialized (
    select channel, count(*) as sites, percentile_cont(0.5) within group (order by rate_per_t) as rate_per_t,
           percentile_cont(0.5) within group (order by rate_per_hour) as rate_per_hour, max(frames) as time_points
    from site
    group by channel)
select u.channel, u.sites, u.time_points, round((100 * u.rate_per_t)::numeric, 2) as percent_per_time_point,
       round((148.26 * percentile_cont(0.5) within group (order by abs(s.rate_per_t - u.rate_per_t)))::numeric, 2)
           as sites_differ_by_percent,
       round((100 * u.rate_per_hour)::numeric, 1) as percent_per_hour,
       case when u.rate_per_t < -0.001 then round((ln(0.5) / u.rate_per_t)::numeric, 1) end as half_life_time_points
from usual u
join site s on s.channel is not distinct from u.channel
group by u.channel, u.sites, u.time_points, u.rate_per_t, u.rate_per_hour
order by u.channel;
