-- The picture of a frame, $1 its id.
select mime, encode(image, 'base64') from scopestream.thumbnails where frame_id = $1::uuid limit 1
