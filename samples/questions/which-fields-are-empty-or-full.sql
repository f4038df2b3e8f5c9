-- Which fields are empty or nearly confluent? A field is empty where there is nothing but noise, and full where its
-- foreground covers more than 80 percent or nearly every tile of it holds something. The share that is covered and the
-- count of objects are those of the pictures, without a segmentation of cells: of touching cells they say little.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
field as (
    select f.well, f.site, f.channel, f.fg_fraction, f.n_objects, f.tile_occupied, f.frame_id,
           case when f.focus_snr is null or f.focus_snr < 200 or f.fg_fraction < 0.002
                     or f.plls > -0.6 and f.otsu_separability < 0.7 then 'empty'
                when f.fg_fraction > 0.8 or f.tile_occupied > 0.98 and f.fg_fraction > 0.5 then 'nearly confluent'
           end as what
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until))
select what, well, site, channel, round((100 * fg_fraction)::numeric, 1) as covered_percent,
       n_objects as objects, frame_id
from field
where what is not null
order by what, well, site, channel
limit 500;
