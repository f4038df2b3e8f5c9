-- Which wells lose their signal, and which of them abnormally? Those that lose a hundredth or more at each time point,
-- over the sites whose loss is steady, and how much the usual well of the channel loses. is_abnormal: more than 3
-- robust standard deviations and one percent faster than that. Each channel as a whole:
-- how-fast-does-each-channel-bleach.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
well as materialized (
    select plate, well, channel, count(*) as sites, avg(rate_per_t) as rate_per_t, avg(rate_per_hour) as rate_per_hour,
           avg(rate_per_t) filter (where r2 > 0.8) as steady_rate_per_t
    from scopestream.bleaching
    where source = (select source from asked)
      and (plate = (select plate from asked) or plate is null and (select plate from asked) is null)
      and frames > 2
    group by plate, well, channel),
usual as materialized (
    select channel, percentile_cont(0.5) within group (order by rate_per_t) as rate_per_t
    from well
    group by channel),
spread as materialized (
    select w.channel, 1.4826 * percentile_cont(0.5) within group (order by abs(w.rate_per_t - u.rate_per_t)) as sd
    from well w join usual u on u.channel is not distinct from w.channel
    group by w.channel)
select w.plate, w.well, w.channel, w.sites, round((100 * w.steady_rate_per_t)::numeric, 2) as percent_per_time_point,
       round((100 * w.rate_per_hour)::numeric, 1) as percent_per_hour,
       round((100 * u.rate_per_t)::numeric, 2) as usual_percent_per_time_point,
       w.steady_rate_per_t < u.rate_per_t - greatest(3 * s.sd, 0.01) as is_abnormal
from well w
join usual u on u.channel is not distinct from w.channel
join spread s on s.channel is not distinct from w.channel
where w.steady_rate_per_t < -0.01
order by w.steady_rate_per_t, w.plate, w.well, w.channel;
