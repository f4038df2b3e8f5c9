-- Is the camera stuck? No two exposures have the same noise: frames with the same pixels as an earlier
-- one are the same picture.
select acquired_at, plate, well, site, channel, path, of_path as same_picture_as
from scopestream.duplicates
where same_pixels
order by acquired_at, path, page;
