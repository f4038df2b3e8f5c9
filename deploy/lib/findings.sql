-- The wells that the measured numbers make suspicious, beside the faults that the simulated microscope
-- says it put in. Its list comes by standard input.
--
-- Nothing here is learned from the list: a well is judged against the other wells of its channel, by
-- how many robust standard deviations (1.4826 times the median absolute deviation) it lies from their
-- median.
\pset footer off
set client_min_messages = warning;
create temporary table written (file text, page integer, plate text, well text, site integer,
    channel text, z integer, t integer, faults text, closed_at timestamptz);
\copy written from pstdin with (format csv, header)

create temporary table judged as
with well as ( -- logarithms, because faults multiply
    select well, channel,
           percentile_cont(0.5) within group (order by ln(greatest(vollath_f4, 1e-12))) as sharpness,
           percentile_cont(0.5) within group (order by ln(greatest(p999 - median, 1e-9))) as signal,
           max(pct_saturated) as saturated
    from scopestream.features group by well, channel),
middle as (
    select channel, percentile_cont(0.5) within group (order by sharpness) as sharpness,
           percentile_cont(0.5) within group (order by signal) as signal
    from well group by channel),
spread as (
    select channel,
           1.4826 * percentile_cont(0.5) within group (order by abs(w.sharpness - m.sharpness)) as sharpness,
           1.4826 * percentile_cont(0.5) within group (order by abs(w.signal - m.signal)) as signal
    from well w join middle m using (channel) group by channel)
select well, channel, saturated,
       (w.sharpness - m.sharpness) / greatest(s.sharpness, 0.02) as sharpness,
       (w.signal - m.signal) / greatest(s.signal, 0.02) as signal
from well w join middle m using (channel) join spread s using (channel);
select * from judged order by channel, sharpness limit 60;
