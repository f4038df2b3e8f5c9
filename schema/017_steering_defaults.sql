-- What steering begins with: policies, models and rules, each a row that can be switched off and on. People's
-- own rows stand beside these and are never touched.

set client_min_messages = warning;
set role scopestream_owner;

-- --- policies ---

insert into scopestream_data.policy (name, tiers, bounds, description, created_by) values
('four_tiers', '{D,C,B,A}', '{0.25,0.5,0.75}', 'A is the best quarter; HASTE''s four tiers', 'scopestream'),
('keep_or_drop', '{drop,keep}', '{0.2}', 'what is worth keeping, and the rest; HASTE''s two tiers', 'scopestream')
on conflict do nothing;

-- --- models ---

-- Where the published words leave a choice:
-- sharp     lap_excess of a noisy field is zero or less as often as not, also in focus: log(1 + x), which tells
--           these apart from strong ones and takes none of them for blurred.
-- filled    otsu_separability < 0.7 or plls > -0.6 would call 60 of 92 real frames full of cells empty, for noise
--           takes the separability down to 0.4: both have to hold.
-- novel     twelve measures of brightness, texture, contrast, objects, light and evenness that go their own ways: the
--           mean rank correlation of two of them is at most 0.6 on 92 real frames. The root of the mean of their
--           squared z is about 1 for a usual frame; 3 is one half. Each z counts up to 10, so that none makes a
--           frame novel by itself; one that is not known counts as usual.
-- changed   one half at the median and 4 MAD of the changes before at the site: a z of 4 / 1.4826.
-- tiers     HASTE ranks among all frames met so far and knows nothing below 16 of them; here frames are ranked among
--           those of the plate, channel and plane, or else of the plate before, and 24 are needed.
-- trend     HASTE's correlation is that of each pixel and its right neighbour: autocorr1_h. It kept every tenth frame
--           as well, which is no matter of interest.
with word (name, expression) as (values
    ('sharp', 'case when vollath_f4 <= 0 and n(log(vollath_f4)) >= 24 then 0 '
              'else logistic(least(z(log(vollath_f4)), z(log(1 + clamp(lap_excess, 0, 1e9)))), 1, -3) end'),
    ('novel', (select format('case when n(log(mean)) >= 24 then logistic(sqrt((%s) / 12), 2, 3) end',
                             string_agg(format('coalesce(clamp(z(%1$s), -10, 10) * clamp(z(%1$s), -10, 10), 1)',
                                               measure), ' + '))
               from unnest('{log(mean),plls,otsu_separability,log(psd_aniso),blur_effect,focus_tile_min,
                             log(obj_area_median),obj_area_cv,obj_border_fraction,
                             illum_tilt_x,illum_tilt_y,illum_corner_center}'::text[]) measure)),
    ('changed', 'logistic(change_z, 2, 2.7)'),
    ('stuck', 'case when same_pixels > 0 or n_levels <= 2 then 1 else 0 end'),
    ('filled', 'case when fg_fraction < 0.002 or otsu_separability < 0.7 and plls > -0.6 then 0.25 else 1 end')
), built_in (place, name, policy, score, parts, description) as (values
    (1, 'interest', 'four_tiers',
     'case when stuck = 1 then 0 else filled * (0.5 * sharp + 0.3 * novel + coalesce(0.2 * changed, 0)) '
     '/ case when changed is null then 0.8 else 1 end end',
     (select jsonb_object_agg(name, expression) from word),
     'half how sharp, 0.3 how unlike other frames, 0.2 how much changed since the frame before at the site (with too '
     'few before, the others share its weight); a quarter of it for an empty field, 0 for a picture that came before '
     'or has at most two grey values'),
    (2, 'haste', 'four_tiers', 'logistic(plls, -4.5, -1.4)', '{}',
     'HASTE''s logistic of PowerLogLogSlope: the steeper the spectrum, the higher, as is right where bad frames are '
     'noise; the absolute slope depends on objective, binning and modality'),
    (3, 'haste_tiers', 'four_tiers', '(2 * clamp(floor(4 * rank(plls)), 0, 3) + 1) / 8', '{}',
     'HASTE''s ranked tiers: the quarter of the plate''s frames of the channel that PowerLogLogSlope falls into, the '
     'largest slopes on top: 0.125, 0.375, 0.625, 0.875'),
    (4, 'haste_trend', 'keep_or_drop', 'greatest(abs(tau(total_intensity)), abs(tau(autocorr1_h)))', '{}',
     'HASTE''s trend: the larger Kendall tau, rising or falling, of light and correlation over the last 10 frames at '
     'the site'),
    (5, 'quality_z', 'four_tiers', (select expression from word where name = 'sharp'), '{}',
     'how sharp, among the plate''s frames of the channel: the lower robust z of two measures; one half at -3'),
    (6, 'novelty', 'four_tiers', (select expression from word where name = 'novel'), '{}',
     'how unlike the plate''s other frames of the channel: the mean squared robust z of twelve measures; one half '
     'where its root is 3'),
    (7, 'change', 'four_tiers', (select expression from word where name = 'changed'), '{}',
     'how much more than usual the picture changed since the frame before at the site; one half at the median and 4 '
     'MAD of the changes before'),
    (8, 'in_focus', 'four_tiers', 'case when focus_snr >= 200 then logistic(ln(focus), 2, ln(0.01)) end', '{}',
     'how sharp, by itself: needs no other frames, and compares frames of one assay, channel and objective; one half '
     'at a focus of 0.01; nuclei at 20 x in focus have 0.03')
)
insert into scopestream_data.model (name, policy, score, parts, enabled, is_default, built_in, description, created_by)
select name, policy, score, parts::jsonb, name = 'interest', name = 'interest', true, description, 'scopestream'
from built_in
where not exists (select from scopestream_data.model o where o.name = built_in.name and o.built_in)
order by place;

-- --- rules ---

-- The first set. Bounds were set on simulated plates and looked at on real ones; every assay should be asked
-- again: scopestream-store rules test NAME --plate P tells what a rule would have found.
--
-- Noise alone, or a picture shown twice, is for `empty` and `stuck_camera` to tell: no other rule judges it.
insert into scopestream_data.rule
    (name, kind, expression, comparison, bound, clear_bound, slack, k, n, group_by, severity, action, enabled, built_in,
     description, created_by)
select first_set.*, 'scopestream'
from (values
    ('out_of_focus', 'bound',
     'case when same_pixels > 0 or focus_snr < 200 or (plls > -0.6 and otsu_separability < 0.7) then null '
     'when z(log(focus)) is null then null '
     'when abs(z(plls)) > 2 or z(correlation_20) > 2 then z(log(focus)) else 0 end',
     '<', -3, -2, 0.5, 1, 1, 'plate', 'warning', 'image_again', true, true,
     'Less sharp than its plate and channel by three robust standard deviations, and the spectrum or the texture says so too'),
    ('saturated', 'bound',
     'case when same_pixels > 0 then null when n_levels > 64 then greatest(pct_saturated, pct_max) else pct_saturated end',
     '>', 0.1, 0.05, 0.5, 1, 1, 'plate', 'warning', null, true, true,
     'More than 0.1 % of the pixels are clipped: intensities cannot be trusted'),
    ('empty', 'bound',
     'case when same_pixels > 0 then null when focus_snr < 200 or fg_fraction < 0.002 then 1 '
     'when plls > -0.6 and otsu_separability < 0.7 then 1 else 0 end',
     '>=', 1, null, 0.5, 1, 1, 'plate', 'info', 'skip', true, true,
     'Nothing but noise: no cells, no light, or the shutter stayed closed'),
    ('stuck_camera', 'bound', 'case when n_levels <= 2 then 1 else same_pixels end',
     '>', 0, null, 0.5, 2, 4, 'plate', 'critical', null, true, true,
     'The same pixels again as in an earlier frame, or no picture at all'),
    -- Cells tilt a frame one way and the next one the other; light tilts all of them the same way.
    ('uneven_light', 'ewma',
     'case when same_pixels > 0 or focus_snr < 200 or (plls > -0.6 and otsu_separability < 0.7) then null '
     'when abs(illum_tilt_x) > abs(illum_tilt_y) then illum_tilt_x else illum_tilt_y end',
     '>', 0.35, 0.25, 0.5, 4, 4, 'plate', 'warning', null, true, true,
     'One frame after the other is brighter at the same edge: the light is not even, or not centred'),
    -- What is sharper than usual is no loss: the plate before may have been the blurred one.
    ('drift', 'cusum',
     'case when same_pixels > 0 or focus_snr < 200 or (plls > -0.6 and otsu_separability < 0.7) then null '
     'else clamp(z(plls), -3, 1) end',
     '>', 20, null, 1, 1, 1, 'plate', 'warning', null, true, true,
     'The spectrum of the pictures moves away from what was usual on the plate, little by little or at once: focus is being lost'),
    ('slow_drift', 'ewma',
     'case when same_pixels > 0 or focus_snr < 200 or (plls > -0.6 and otsu_separability < 0.7) then null '
     'else clamp(z(plls), -3, 1) end',
     '>', 1.6, null, 0.5, 8, 10, 'plate', 'warning', null, false, true,
     'As drift, by a moving average: sooner, and more easily deceived'),
    ('missing_sites', 'missing', null, '>', null, null, 0.5, 1, 1, 'plate', 'warning', null, true, true,
     'Wells, sites or channels that most wells of the plate or its layout have did not come'),
    ('silence', 'silence', null, '>', 2, null, 0.5, 1, 1, 'source', 'warning', null, true, true,
     'No frame for twice the usual interval, while the plate is not complete'),
    ('unfinished_file', 'event', 'unfinished', '>', null, null, 0.5, 1, 1, 'plate', 'warning', null, true, true,
     'A file has been quiet for long and is still not complete')
) first_set
on conflict (name) do nothing;

insert into scopestream_data.schema_migration (version, name, sha256) values (17, '017_steering_defaults.sql', '')
on conflict (version) do nothing;

reset role;
