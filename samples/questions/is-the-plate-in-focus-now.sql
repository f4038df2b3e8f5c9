-- Is the plate in focus right now? The last 20 fields of each channel, newest last, each with its robust z: how many
-- robust standard deviations (1.4826 MAD) it lies from the median of its plate and channel, in focus, plls and lap_var;
-- beside them the median z of the channel's last 5 minutes. Below -3 a field is less sharp than its plate. focus is the
-- one to look at (docs/focus.md): plls turns far out of focus, lap_var follows the noise. A plate without one sharp
-- field has nothing to be compared with: see is-focus-drifting.sql, and is-the-lamp-losing-power.sql for plates before.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
field as (
    select f.acquired_at, f.channel, f.well, f.site, f.frame_id,
           f.acquired_at > a.until - interval '5 minutes' as is_new,
           case when f.focus_snr >= 200 then ln(f.focus) end as focus, f.plls,
           ln(nullif(greatest(f.lap_var, 0), 0)) as lap_var,
           row_number() over (partition by f.channel order by f.acquired_at desc, f.frame_id) as place
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.acquired_at <= a.until),
usual as materialized (
    select channel, percentile_cont(0.5) within group (order by focus) as focus,
           percentile_cont(0.5) within group (order by plls) as plls,
           percentile_cont(0.5) within group (order by lap_var) as lap_var
    from field
    group by channel),
spread as materialized (
    select f.channel,
           nullif(1.4826 * percentile_cont(0.5) within group (order by abs(f.focus - u.focus)), 0) as focus,
           nullif(1.4826 * percentile_cont(0.5) within group (order by abs(f.plls - u.plls)), 0) as plls,
           nullif(1.4826 * percentile_cont(0.5) within group (order by abs(f.lap_var - u.lap_var)), 0) as lap_var
    from field f join usual u on u.channel is not distinct from f.channel
    group by f.channel),
point as (
    select f.*, (f.focus - u.focus) / s.focus as focus_z, (f.plls - u.plls) / s.plls as plls_z,
           (f.lap_var - u.lap_var) / s.lap_var as lap_var_z
    from field f
    join usual u on u.channel is not distinct from f.channel
    join spread s on s.channel is not distinct from f.channel
    where f.is_new or f.place <= 20),
recent as materialized (
    select channel, percentile_cont(0.5) within group (order by focus_z) as focus_z,
           percentile_cont(0.5) within group (order by plls_z) as plls_z,
           percentile_cont(0.5) within group (order by lap_var_z) as lap_var_z
    from point
    where is_new
    group by channel)
select p.acquired_at as time, p.channel, p.well, p.site,
       round(p.focus_z::numeric, 1) as focus_z, round(p.plls_z::numeric, 1) as plls_z,
       round(p.lap_var_z::numeric, 1) as lap_var_z,
       round(r.focus_z::numeric, 1) as focus_z_5_min, round(r.plls_z::numeric, 1) as plls_z_5_min,
       round(r.lap_var_z::numeric, 1) as lap_var_z_5_min, p.frame_id
from point p
left join recent r on r.channel is not distinct from p.channel
where p.place <= 20
order by p.acquired_at, p.channel;
