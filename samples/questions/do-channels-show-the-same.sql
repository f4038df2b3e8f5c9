-- Do two channels show the same? Near 1 at most sites: a filter that did not turn, or one dye that shines into the
-- other's channel. Of a plate of many sites, 200 are looked at, chosen by chance.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
picture as (
    select distinct on (place, f.channel) n.place, f.channel, f.tile_mean
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    cross join lateral (
        select md5(concat_ws('/', f.well, f.site, f.z, f.t, f.page,
                             case when f.naming is null then f.path end)) as place) n
    where f.channel is not null and f.tile_mean is not null
    order by place, f.channel, f.acquired_at desc),
chosen as (
    select *, dense_rank() over (order by place) as number from picture),
site as materialized (
    select array_agg(channel order by channel) as channels, array_agg(tile_mean order by channel) as tiles
    from chosen
    where number <= 200
    group by place),
pair as (
    select s.channels[one] as channel, s.channels[other] as other_channel,
           scopestream.correlation(s.tiles[one:one], s.tiles[other:other]) as r
    from site s
    cross join lateral generate_series(1, cardinality(s.channels) - 1) one
    cross join lateral generate_series(one + 1, cardinality(s.channels)) other)
select channel, other_channel, count(*) as sites,
       round(percentile_cont(0.5) within group (order by r)::numeric, 3) as median_r
from pair
group by channel, other_channel
order by median_r desc nulls last;
