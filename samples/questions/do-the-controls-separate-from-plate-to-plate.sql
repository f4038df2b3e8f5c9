-- Do the controls separate from plate to plate? Z' and SSMD of a few numbers on the last 20 plates of the source that
-- have frames of positive and negative controls. Operators and reagent lots are told by no file; what a layout tells
-- stands beside: who loaded it, and what its positive controls hold. So load a layout for each plate under your own
-- name, and write the lot into the treatment ('staurosporine lot 7'): then order or filter by these two columns.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
plate as materialized (
    select p.source, p.plate, p.channels, p.first_acquired_at as time,
           (select coalesce(max(own.plate), '*') from scopestream.layouts own where own.plate = p.plate) as layout
    from asked a
    join scopestream.plates p on p.source = a.source and p.first_acquired_at <= a.until
    where p.plate is not null
    order by p.first_acquired_at desc
    limit 20),
control as materialized (
    select p.source, p.plate, p.time, channel, l.well, l.role, l.treatment, l.loaded_by
    from plate p
    cross join lateral unnest(p.channels) channel
    join scopestream.layouts l on l.plate = p.layout
    where l.role in ('positive', 'negative')),
picture as materialized (
    select c.plate, c.channel, c.well, c.role, c.time, c.treatment, c.loaded_by,
           percentile_cont(0.5) within group (order by f.mean) as mean,
           percentile_cont(0.5) within group (order by f.p999) as p999,
           percentile_cont(0.5) within group (order by f.fg_fraction) as fg_fraction,
           percentile_cont(0.5) within group (order by f.n_objects) as n_objects,
           percentile_cont(0.5) within group (order by f.focus) as focus
    from control c
    join scopestream.features f
      on f.plate = c.plate and f.channel = c.channel and f.well = c.well and f.source = c.source
    group by c.plate, c.channel, c.well, c.role, c.time, c.treatment, c.loaded_by),
well as (
    select p.plate, p.time, p.role, p.treatment, p.loaded_by, p.channel, n.name, n.value
    from picture p
    cross join lateral (values ('mean', p.mean), ('p999', p.p999), ('fg_fraction', p.fg_fraction),
                               ('n_objects', p.n_objects), ('focus', p.focus)) n(name, value)),
middle as (
    select plate, channel, name, min(time) as time, min(loaded_by) as loaded_by,
           string_agg(distinct treatment, ', ') filter (where role = 'positive') as treatment,
           count(value) filter (where role = 'positive') as positives,
           count(value) filter (where role = 'negative') as negatives,
           avg(value) filter (where role = 'positive') as positive,
           avg(value) filter (where role = 'negative') as negative,
           stddev_samp(value) filter (where role = 'positive') as positive_sd,
           stddev_samp(value) filter (where role = 'negative') as negative_sd
    from well
    group by plate, channel, name)
select time, plate, channel, name as number, positives, negatives,
       round((1 - 3 * (positive_sd + negative_sd) / nullif(abs(positive - negative), 0))::numeric, 2) as z_prime,
       round(((positive - negative) / nullif(sqrt(positive_sd ^ 2 + negative_sd ^ 2), 0))::numeric, 1) as ssmd,
       treatment as positive_treatment, loaded_by as layout_loaded_by
from middle
where positives > 1 and negatives > 1
order by channel, number, time;
