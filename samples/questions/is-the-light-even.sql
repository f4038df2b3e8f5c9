-- How even is the light, today against last month? Each channel of this plate against the plates of the 30 days before
-- the last day: illum_cv (0: even; cells add to it), and the corners against the centre (below 1: vignetting). The
-- objective is in no file's name; micrometres a pixel stand for it, and only plates of that channel are compared, so
-- give objectives channels of their own where one microscope has several. change_z: in robust standard deviations of
-- the plates before; NULL where fewer than three of them are known. The picture of it:
-- what-does-the-light-look-like.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
size as materialized (
    select f.channel, mode() within group (order by f.pixel_size_um) as pixel_size_um
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    group by f.channel),
plate as (
    select t.channel, t.feature, t.plate, t.median, t.first_acquired_at,
           t.plate is not distinct from a.plate as is_asked
    from asked a
    join scopestream.plate_trends t on t.source = a.source and t.first_acquired_at <= a.until
    where t.feature in ('illum_cv', 'illum_corner_center')
      and (t.plate is not distinct from a.plate
           or t.first_acquired_at between a.until - interval '31 days' and a.until - interval '1 day')),
before as materialized (
    select channel, feature, count(*) as plates, percentile_cont(0.5) within group (order by median) as median
    from plate
    where not is_asked
    group by channel, feature),
spread as materialized (
    select p.channel, p.feature, 1.4826 * percentile_cont(0.5) within group (order by abs(p.median - b.median)) as sd
    from plate p join before b on b.feature = p.feature and b.channel is not distinct from p.channel
    where not p.is_asked
    group by p.channel, p.feature)
select p.channel, round(s.pixel_size_um::numeric, 3) as pixel_size_um, p.feature as number,
       round(p.median::numeric, 4) as today, round(b.median::numeric, 4) as last_month, b.plates as plates_before,
       round((100 * (p.median / nullif(b.median, 0) - 1))::numeric, 1) as change_percent,
       case when b.plates >= 3 then round(((p.median - b.median) / nullif(d.sd, 0))::numeric, 1) end as change_z
from plate p
left join size s on s.channel is not distinct from p.channel
left join before b on b.feature = p.feature and b.channel is not distinct from p.channel
left join spread d on d.feature = p.feature and d.channel is not distinct from p.channel
where p.is_asked
order by p.channel, p.feature desc;
