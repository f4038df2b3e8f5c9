-- The wells in which the rules found something, beside the faults that the simulated microscope says it put in. Its
-- list comes by standard input; nothing is learned from it.
--
-- No rule looks for dim wells, which may be what an experiment is about: they are those whose signal lies more
-- than 15 robust standard deviations (1.4826 times the median absolute deviation) below the median of their channel.
\pset footer off
set client_min_messages = warning;
create temporary table written (file text, page integer, plate text, well text, site integer,
    channel text, z integer, t integer, faults text, closed_at timestamptz,
    off_focus_um double precision);
\copy written from pstdin with (format csv, header)

with well as (
    select well, channel, percentile_cont(0.5) within group (order by ln(greatest(p999 - median, 1e-6))) as signal
    from scopestream.features where well is not null group by well, channel),
middle as (
    select channel, percentile_cont(0.5) within group (order by signal) as signal from well group by channel),
spread as (
    select channel, 1.4826 * percentile_cont(0.5) within group (order by abs(w.signal - m.signal)) as signal
    from well w join middle m using (channel) group by channel),
finding (n, finding, fault) as (values
    (1, 'out_of_focus', 'defocus'), (2, 'empty', 'empty'), (3, 'dim', 'dim'), (4, 'saturated', 'saturated'),
    (5, 'missing_sites', 'missing truncated'), (6, 'unfinished_file', 'truncated')),
found (finding, well) as (
    select rule, well from scopestream.findings
    union
    select 'dim', well from well w join middle m using (channel) join spread s using (channel)
    where (w.signal - m.signal) / greatest(s.signal, 0.02) < -15
      and well not in (select f.well from scopestream.findings f where f.rule = 'empty')
    union
    select 'unfinished_file', w.well from written w
    join scopestream.events e on e.path = w.file and e.event = 'unfinished'),
put_in (fault, well) as (
    select distinct unnest(string_to_array(faults, '+')), well from written),
told as (
    select n, finding,
           (select string_agg(distinct well, ' ' order by well) from found f where f.finding = k.finding) as found,
           (select string_agg(distinct well, ' ' order by well) from put_in p
            where p.fault = any (string_to_array(k.fault, ' '))) as put_in
    from finding k)
select finding as "finding", coalesce(found, '') as "wells found", coalesce(put_in, '') as "wells where it was put in"
from told where found <> '' or put_in <> '' order by n;

select format('  %s files were written slowly, preallocated or renamed into place; %s of them have their row',
              count(distinct file), count(distinct path)) as " "
from written w left join scopestream.frames f on f.path = w.file
where faults ~ 'slow|preallocated|renamed' having count(*) > 0
\g (tuples_only=on format=unaligned)
