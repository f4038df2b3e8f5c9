-- Do the positive controls of this plate separate from the negative ones? Z' and SSMD of thirty numbers, of the medians
-- of the control wells, the best first; the robust ones are of medians and MAD. Any number of scopestream.measures may
-- stand in the list; scopestream.controls_quality has all of them, and takes seconds. Z' of 0.5 to 1: excellent; 0 to
-- 0.5: marginal; below 0: no assay. SSMD of 3 and more: strong. The layout of the plate names the controls; without one
-- there is no answer. Two wells of a kind are the least, and few make all of it uncertain.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
control as materialized (
    select a.source, a.plate, channel, l.well, l.role
    from asked a
    join scopestream.plates p on p.source = a.source and p.plate = a.plate
    cross join lateral unnest(p.channels) channel
    join scopestream.layouts l
      on l.plate = (select coalesce(max(own.plate), '*') from scopestream.layouts own where own.plate = a.plate)
    where l.role in ('positive', 'negative')),
number as (
    select c.role, c.well, c.channel, n.name, n.value
    from control c
    join scopestream.features f
      on f.plate = c.plate and f.channel = c.channel and f.well = c.well and f.source = c.source
    cross join lateral (values
        ('mean', f.mean), ('median', f.median), ('mad', f.mad), ('std', f.std),
        ('p05', f.p05), ('p95', f.p95), ('p999', f.p999), ('entropy', f.entropy),
        ('cv', f.cv), ('skewness', f.skewness), ('kurtosis', f.kurtosis),
        ('total_intensity', f.total_intensity), ('bg_mode', f.bg_mode),
        ('noise_sigma', f.noise_sigma), ('fg_mean', f.fg_mean),
        ('fg_fraction', f.fg_fraction), ('sbr', f.sbr), ('cnr', f.cnr),
        ('n_objects', f.n_objects), ('obj_area_median', f.obj_area_median),
        ('obj_area_cv', f.obj_area_cv), ('obj_largest_fraction', f.obj_largest_fraction),
        ('edge_density', f.edge_density), ('tile_occupied', f.tile_occupied),
        ('local_focus_20', f.local_focus_20), ('correlation_20', f.correlation_20),
        ('focus', f.focus), ('plls', f.plls), ('lap_excess', f.lap_excess),
        ('vollath_f4', f.vollath_f4), ('illum_cv', f.illum_cv),
        ('otsu_separability', f.otsu_separability)) n(name, value)),
well as (
    select channel, name, role, well, percentile_cont(0.5) within group (order by value) as value
    from number
    group by channel, name, role, well),
middle as (
    select channel, name, role, count(value) as wells, avg(value) as mean, stddev_samp(value) as sd,
           percentile_cont(0.5) within group (order by value) as median, array_agg(value) as "values"
    from well
    group by channel, name, role),
spread as (
    select m.*, (select 1.4826 * percentile_cont(0.5) within group (order by abs(v - m.median))
                 from unnest(m."values") v) as robust_sd
    from middle m
    where wells > 1)
select p.channel, p.name as number, p.wells as positives, n.wells as negatives,
       round(p.median::numeric, 6) as positive_median, round(n.median::numeric, 6) as negative_median,
       round((1 - 3 * (p.sd + n.sd) / nullif(abs(p.mean - n.mean), 0))::numeric, 2) as z_prime,
       round((1 - 3 * (p.robust_sd + n.robust_sd) / nullif(abs(p.median - n.median), 0))::numeric, 2) as robust_z_prime,
       round(((p.mean - n.mean) / nullif(sqrt(p.sd ^ 2 + n.sd ^ 2), 0))::numeric, 1) as ssmd,
       round(((p.median - n.median) / nullif(sqrt(p.robust_sd ^ 2 + n.robust_sd ^ 2), 0))::numeric, 1) as robust_ssmd
from spread p
join spread n on n.name = p.name and n.role = 'negative' and n.channel = p.channel
where p.role = 'positive' and p.mean <> n.mean
order by z_prime desc nulls last, abs((p.mean - n.mean) / nullif(sqrt(p.sd ^ 2 + n.sd ^ 2), 0)) desc nulls last
limit 50;
