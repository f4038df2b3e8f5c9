-- Which wells have fewer cells than the plate's controls? The median count of objects over each well's fields, in
-- percent of that of the negative controls; where no layout names these, of all wells. Below 70 percent: listed, the
-- emptiest first. Ask a channel that stains nuclei; of clumped cells the objects are clumps.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
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
select w.well, w.channel, w.role, w.treatment, w.fields, round(w.objects::numeric, 1) as objects,
       round(u.objects::numeric, 1) as usual_objects,
       round((100 * w.objects / nullif(u.objects, 0))::numeric, 1) as percent_of_usual,
       case when u.by_controls then 'negative controls' else 'all wells' end as compared_with
from well w
join usual u on u.channel is not distinct from w.channel
where w.objects < 0.7 * u.objects
order by w.objects / nullif(u.objects, 0), w.well, w.channel;
