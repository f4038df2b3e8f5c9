-- What does the light look like? The mean of tile_mean over 100 pictures of each channel, 16 x 16 tiles, in percent of
-- the mean of all: cells are somewhere else in each picture and average out, the lamp is not. A hundred pictures
-- leave the light; of a few, cells are seen too. \crosstabview turns rows into columns in psql; other clients leave
-- that line out and take y and x as axes.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
picture as (
    select f.channel, f.tile_mean, row_number() over (partition by f.channel order by f.frame_id) as place
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.tile_mean is not null),
tile as (
    select p.channel, (t.i - 1) / 16 + 1 as y, (t.i - 1) % 16 + 1 as x, avg(t.mean) as mean
    from picture p
    cross join lateral unnest(p.tile_mean) with ordinality t(mean, i)
    where p.place <= 100
    group by p.channel, t.i)
select concat_ws(' ', 'channel', channel, 'y', to_char(y, 'FM00')) as y, x,
       round((100 * mean / nullif(avg(mean) over (partition by channel), 0))::numeric) as percent_of_mean
from tile
order by channel, tile.y, x
\crosstabview y x percent_of_mean x
