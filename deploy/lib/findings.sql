-- The wells that the measured numbers make suspicious, beside the faults that the simulated microscope
-- says it put in. Its list comes by standard input.
--
-- Nothing here is learned from the list: a well is judged against the other wells of its channel, by
-- how many robust standard deviations (1.4826 times the median absolute deviation) it lies from their
-- median.
\pset footer off
set client_min_messages = warning;
create temporary table written (file text, page integer, plate text, well text, site integer,
    channel text, z integer, t integer, faults text, closed_at timestamptz,
    off_focus_um double precision);
\copy written from pstdin with (format csv, header)

-- Sharpness: how much of a picture's variance is fine detail, whatever its brightness.
create temporary table well as
select well, channel,
       percentile_cont(0.5) within group (order by ln(greatest(vollath_f4 / nullif(std, 0) ^ 2, 1e-6)))
           as sharpness,
       percentile_cont(0.5) within group (order by ln(greatest(p999 - median, 1e-6))) as signal,
       percentile_cont(0.5) within group (order by snr_db) as snr_db,
       max(pct_saturated) as pct_saturated
from scopestream.features where well is not null group by well, channel;

create temporary table judged as
with middle as (
    select channel, percentile_cont(0.5) within group (order by sharpness) as sharpness,
           percentile_cont(0.5) within group (order by signal) as signal
    from well group by channel),
spread as (
    select channel,
           1.4826 * percentile_cont(0.5) within group (order by abs(w.sharpness - m.sharpness)) as sharpness,
           1.4826 * percentile_cont(0.5) within group (order by abs(w.signal - m.signal)) as signal
    from well w join middle m using (channel) group by channel)
select well, channel, snr_db, pct_saturated,
       (w.sharpness - m.sharpness) / greatest(s.sharpness, 0.02) as sharpness,
       (w.signal - m.signal) / greatest(s.signal, 0.02) as signal
from well w join middle m using (channel) join spread s using (channel);

with finding (n, finding, fault) as (values
    (1, 'out of focus', 'defocus'), (2, 'empty', 'empty'), (3, 'dim', 'dim'),
    (4, 'saturated', 'saturated'), (5, 'file never finished', 'truncated')),
found (finding, well) as (
    select case when snr_db < 15 then 'empty'
                when sharpness < -5 then 'out of focus'
                when signal < -15 then 'dim' end, well
    from judged
    union
    select 'saturated', well from judged where pct_saturated > 0.1
    union
    select 'file never finished', w.well from written w
    join scopestream.events e on e.path = w.file and e.event = 'unfinished'),
put_in (fault, well) as (
    select distinct unnest(string_to_array(faults, '+')), well from written)
select finding as "finding",
       coalesce((select string_agg(distinct well, ' ') from found f where f.finding = k.finding), '')
           as "wells found",
       coalesce((select string_agg(distinct well, ' ') from put_in p where p.fault = k.fault), '')
           as "wells where it was put in"
from finding k order by n;

select format('  %s files were written slowly, preallocated or renamed into place; %s of them have their row',
              count(distinct file), count(distinct path)) as " "
from written w left join scopestream.frames f on f.path = w.file
where faults ~ 'slow|preallocated|renamed' having count(*) > 0
\g (tuples_only=on format=unaligned)
