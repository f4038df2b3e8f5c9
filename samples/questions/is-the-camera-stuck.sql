-- Is the camera stuck? No two exposures have the same noise; frames with exactly the same numbers as
-- the frame before them are the same picture.
with in_order as (
    select closed_at, path, page, plate, well, site, channel,
           array[mean, std, median, p999, entropy, lap_var, vollath_f4] as numbers,
           lag(array[mean, std, median, p999, entropy, lap_var, vollath_f4])
               over (partition by source order by closed_at, path, page) as numbers_before,
           lag(path) over (partition by source order by closed_at, path, page) as path_before
    from scopestream.features)
select closed_at, plate, well, site, channel, path, path_before as same_picture_as
from in_order
where numbers = numbers_before
order by closed_at, path, page;
