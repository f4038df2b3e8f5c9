-- Which wells have fewer cells than the plate's controls? The median count of objects over each well's fields, in
-- percent of that of the negative controls; where no layout names these, of all wells. Below 70 percent: listed, the
-- emptiest first. Ask a channel that stains nuclei; of clumped cells the objects are clumps. Of a well out of focus the
-- count says nothing: fields_out_of_focus tells how many fields have less than half of their channel's usual focus.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
field as materialized (
    select distinct on (f.well, f.site, f.channel) f.well, f.site, f.channel, f.focus
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.focus_snr >= 200 and f.well is not null
    order by f.well, f.site, f.channel, f.t desc nulls last, f.focus desc),
sharp as materialized (
    select channel, percentile_cont(0.5) within group (order by focus) as focus from field group by channel),
blurred as materialized (
    select f.well, f.channel, count(*) as fields
    from field f
    join sharp s on s.channel is not distinct from f.channel
    where f.focus < s.focus / 2
    group by f.well, f.channel),
well as materialized (
    select m.channel, m.well, m.role, m.treatment, m.value as objects, m.frames as fields
    from asked a
    cross join lateral scopestream.plate_map(a.plate, 'n_objects', source => a.source) m),
usual as materialized (
    select channel, bool_or(role = 'negative') as by_controls,
           coalesce(percentile_cont(0.5) within group (order by objects) filter (where role = 'negative'),
                    percentile_cont(0.5) within group (order by objects)) as objects
    from well
    group by channel)
select w.well, w.channel, w.role, w.treatment, w.fields,
       coalesce(b.fields, 0) as fields_out_of_focus, round(w.objects::numeric, 1) as objects,
       round(u.objects::numeric, 1) as usual_objects,
       round((100 * w.objects / nullif(u.objects, 0))::numeric, 1) as percent_of_usual,
       case when u.by_controls then 'negative controls' else 'all wells' end as compared_with
from well w
join usual u on u.channel is not distinct from w.channel
left join blurred b on b.well = w.well and b.channel is not distinct from w.channel
where w.objects < 0.7 * u.objects
order by w.objects / nullif(u.objects, 0), w.well, w.channel;
