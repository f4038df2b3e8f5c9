-- Did autofocus choose the sharpest plane? How many planes the sharpest lies above (+) or below (-) the one in the
-- middle of its stack: the microscope centres a stack on where autofocus put it, and nothing we read of the files tells
-- that otherwise. All stacks at 0: it did. All off by the same: an offset to set. Many at the ends: focus lies outside
-- the stacks. Stacks in which no plane is sharp, the least having half of the sharpest, are left out.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
stack as (
    select channel, best_z - round((first_z + last_z) / 2.0)::integer as planes_off, at_the_end
    from scopestream.best_planes
    where source = (select source from asked)
      and (plate = (select plate from asked) or plate is null and (select plate from asked) is null)
      and planes > 1 and least_vollath_f4 < vollath_f4 / 2)
select channel, planes_off, count(*) as stacks,
       round(100.0 * count(*) / sum(count(*)) over (partition by channel), 1) as percent_of_stacks,
       count(*) filter (where at_the_end) as at_the_end
from stack
group by channel, planes_off
order by channel, planes_off;
