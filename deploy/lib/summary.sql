-- What the demo says at its end: how many frames, how fast, and where the time went.
--
-- A file that was there before is counted from the beginning of the run (variable `began`): how long
-- it had waited for somebody to look at it says nothing about the stream.
set client_min_messages = warning;
create temporary table frame as
    select *, greatest(closed_at, least(:'began'::timestamptz, offered_at)) as known_at
    from scopestream.frames;
\pset tuples_only on
\pset format unaligned

select format('  %s frames have their row%s%s', count(*),
              ': ' || string_agg(distinct n || ' ' || status, ', '),
              coalesce((select '; files never finished: ' || count(*)
                        from scopestream.events where event = 'unfinished' having count(*) > 0), ''))
from (select status, count(*) over (partition by status) as n from frame) f;

select format('  %s frames/s from the first file closed to the last row, %s MB/s',
              round(count(*) / seconds, 1), round(sum(size_bytes / pages) / 1e6 / seconds, 1))
from frame,
     (select greatest(extract(epoch from max(stored_at) - min(known_at)), 0.001) from frame) f (seconds)
group by seconds;

select format('  from file closed to row committed: median %s s, 95 of 100 within %s s, 99 within %s s',
              round(p[1]::numeric, 2), round(p[2]::numeric, 2), round(p[3]::numeric, 2))
from (select percentile_cont(array[0.5, 0.95, 0.99]) within group (
          order by extract(epoch from stored_at - known_at)) from frame having count(*) > 0) f (p);

select '  in ms: ' ||
       string_agg(round((1000 * seconds)::numeric) || ' ' || step, ', ' order by n)
from (select n, step, percentile_cont(0.5) within group (order by extract(epoch from till - since))
      from frame,
           lateral (values (1, 'to the queue', known_at, offered_at),
                           (2, 'in it', offered_at, taken_at),
                           (3, 'receiving', taken_at, received_at),
                           (4, 'decoding', received_at, decoded_at),
                           (5, 'measuring', decoded_at, measured_at),
                           (6, 'to the row', measured_at, stored_at)) s (n, step, since, till)
      where status = 'ok'
      group by n, step) steps (n, step, seconds)
having count(*) > 0;
