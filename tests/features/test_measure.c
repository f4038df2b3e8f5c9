#include "tests/features/golden.h"
#include "tests/suite.h"

/* ---------------------------------------------------------------- known answers --- */

/* The formulas, computed with numpy 2.4 and scipy 1.17 in double precision: scipy.ndimage.laplace,
 * sobel and convolve on the interior, numpy.percentile, numpy.corrcoef. */
static const Golden golden_numpy[] = {
    {"q25",
     1e-9,
     {0.0112916762, 0.00820935378, 0.009674219883, 0.03088426032, 0.2187762264, 0.01882963302, 0,
      0.03137254902, 0.01260395209, 0.01281757839, 0.01284809644, 0.4261692226}},
    {"q75",
     1e-9,
     {0.01559472038, 0.01248187991, 0.01379415579, 0.06213473716, 0.4625391012, 0.01882963302, 0,
      0.03529411765, 0.01379415579, 0.01344319829, 0.01322957198, 0.4593728542}},
    {"p01",
     1e-9,
     {0.009216449226, 0.006164644846, 0.007690547036, 0.0157473106, 0.04272526131, 0.01882963302, 0,
      0.02745098039, 0.01135271229, 0.01217669947, 0.01252765698, 0.3778133822}},
    {"p05",
     1e-9,
     {0.009582665751, 0.006530861372, 0.008026245518, 0.0181887541, 0.09685664149, 0.01882963302, 0,
      0.02745098039, 0.01184100099, 0.01242084382, 0.01264972915, 0.3975127794}},
    {"p95",
     1e-9,
     {0.06066987106, 0.07489433127, 0.04887464714, 0.07458609903, 0.5844586862, 0.01882963302, 0,
      0.262745098, 0.05983062486, 0.05827420462, 0.05424048219, 0.4774242771}},
    {"p99",
     1e-9,
     {0.1080949111, 0.1558861677, 0.3914703593, 0.07702754253, 0.6385900664, 0.01882963302, 0,
      0.568627451, 0.1072251469, 0.104645304, 0.09532310979, 0.4916914626}},
    {"p999",
     1e-9,
     {0.1491749294, 0.2041757229, 0.4577706569, 0.07751583124, 0.6683451591, 0.01882963302, 0,
      0.7647058824, 0.1472937972, 0.1434424659, 0.1345693141, 0.5276700542}},
    {"dynamic_range",
     1e-9,
     {0.1399584802, 0.198011078, 0.4500801099, 0.06176852064, 0.6256198978, 0, 0, 0.737254902,
      0.1359410849, 0.1312657664, 0.1220416571, 0.149856672}},
    {"michelson",
     1e-9,
     {0.8428720083, 0.9239171375, 0.9614664316, 0.6605263158, 0.8745800672, 0, NAN, 0.9078947368,
      0.8085188521, 0.7915341441, 0.7676853424, 0.1309688855}},
    {"pct_zero", 1e-9, {0, 0, 0, 0, 100 / 81920., 0, 100, 0, 0, 0, 0, 0}},
    {"n_levels", 1e-9, {7169, 5097, 11789, 256, 894, 1, 1, 240, 7277, 7017, 6470, 10387}},
    {"level_step", 1e-9, {1, 1, 1, 16, 50, NAN, NAN, 1, 1, 1, 1, 1}},
    {"entropy",
     1e-9,
     {8.864748595, 8.748558635, 8.546230185, 7.9970844, 9.610421097, 0, 0, 2.275747542, 8.640243788,
      7.940723295, 7.536172404, 12.6348345}},
    {"skewness",
     1e-9,
     {4.22845351, 4.278023551, 5.352592272, -0.006625352747, 0, NAN, NAN, 4.54162598, 4.316689745,
      4.302213014, 4.147624017, -0.3450836851},
     1e-12},
    {"kurtosis",
     1e-9,
     {20.27039519, 18.74335762, 29.0946951, -1.198142528, -0.9146446959, NAN, NAN, 22.0582224,
      20.90356416, 20.90860775, 19.8476032, 0.4289979978}},
    {"cv",
     1e-9,
     {1.032410717, 1.599156133, 2.539946862, 0.3875769491, 0.4456507043, 0, NAN, 1.711071227,
      1.01394984, 0.9840406456, 0.8993653265, 0.05605051158}},
    {"bg_mode",
     1e-9,
     {0.01553368429, 0.01095597772, 0.01135271229, 0.07385366598, 0.1953154803, 0.01882963302, 0,
      0.03529411765, 0.0130312047, 0.0130312047, 0.01295490959, 0.4483558404}},
    {"thr_otsu",
     1e-9,
     {0.04899671931, 0.06602578775, 0.1667048142, 0.04626535439, 0.3402761883, 0.01882963302, 0,
      0.231372549, 0.04866102083, 0.0475928893, 0.04350347143, 0.4382238499}},
    {"otsu_separability",
     1e-9,
     {0.8287452872, 0.8564010895, 0.8784808517, 0.7499898936, 0.717359437, NAN, NAN, 0.8389606195,
      0.8371230552, 0.8297085462, 0.8044991041, 0.6375109814}},
    {"fg_fraction",
     1e-9,
     {0.06153361003, 0.05461690603, 0.03587565104, 0.5014343262, 0.5, NAN, NAN, 0.05488333333,
      0.06124369303, 0.06118265788, 0.06486002604, 0.5894355774}},
    {"fg_mean",
     1e-9,
     {0.08429874647, 0.121154568, 0.3204473365, 0.06204906153, 0.4692399577, NAN, NAN, 0.4330201318,
      0.08357538513, 0.08130183698, 0.07289414728, 0.4583267944}},
    {"bg_mean",
     1e-9,
     {0.01370563684, 0.01090670138, 0.01298911386, 0.03084055584, 0.21207537, NAN, NAN,
      0.03591288139, 0.01376738614, 0.01389840736, 0.01412943349, 0.4181325071}},
    {"sbr",
     1e-9,
     {6.150662492, 11.10826856, 24.67045404, 2.011930714, 2.212609402, NAN, NAN, 12.05751572,
      6.070533962, 5.849723274, 5.159028302, 1.096128109}},
    {"cnr",
     1e-9,
     {23.63946752, 36.91862954, 104.5423042, 2.694339522, 2.755729084, NAN, NAN, 68.30051859,
      85.71404615, 156.8114252, 259.7562065, 2.696051759}},
    {"noise_sigma",
     1e-9,
     {0.002293102303, 0.002323045116, 0.002332635877, 0.01833223142, 0, 0, 0, 0.002643869204,
      0.0001687309937, 8.088042263e-06, 4.557338051e-06, 0.009576705741}},
    {"snr_db",
     1e-9,
     {32.31270055, 35.9385274, 44.23304935, 4.426827217, NAN, NAN, NAN, 46.15880841, 54.92529826,
      81.07514157, 85.13452787, 13.95154595}},
    {"lap_var",
     1e-9,
     {0.0001058948217, 0.0001218556564, 0.0001411299878, 0.006519348907, 0, 0, 0, 0.0003020320059,
      3.583137203e-06, 7.985767222e-07, 2.600560292e-07, 0.002024613718}},
    {"lap_excess",
     1e-9,
     {0.1385344478, 2.580336241, 5.937338025, -0.6012582078, NAN, NAN, NAN, 23.20888252,
      105.8559377, 12187.58685, 12501.15633, 2.07546644}},
    {"tenengrad",
     1e-9,
     {0.000876661144, 0.002642208773, 0.007332629432, 0.007776765143, 0.0001862701994, 0, 0,
      0.02832985334, 0.0006946966585, 0.0005525869586, 0.000334097927, 0.005041006145}},
    {"brenner_h",
     1e-9,
     {3.495310322e-05, 9.257063305e-05, 0.0002379473465, 0.0006486631559, 9.31350997e-06, 0, 0,
      0.0009611096621, 2.276806736e-05, 1.800090368e-05, 1.10867283e-05, 0.0002951313498}},
    {"brenner_v",
     1e-9,
     {3.385813599e-05, 9.098772837e-05, 0.0002452600674, 0.0006504102933, 2.328377492e-06, 0, 0,
      0.0008874855825, 2.163703015e-05, 1.683650465e-05, 9.884875656e-06, 0.0002945025642}},
    {"grad_h",
     1e-9,
     {1.674376353e-05, 3.244222416e-05, 7.063605249e-05, 0.0006515206804, 2.328377492e-06, 0, 0,
      0.0002657800467, 6.017002781e-06, 4.565318391e-06, 2.790813782e-06, 0.0002282205649}},
    {"grad_v",
     1e-9,
     {1.64564959e-05, 3.210253424e-05, 7.236593227e-05, 0.0006507438771, 5.820943731e-07, 0, 0,
      0.0002469815443, 5.729909563e-06, 4.273091623e-06, 2.489130792e-06, 0.0002281054551}},
    {"vollath_f4",
     1e-9,
     {9.497826341e-06, 3.090888483e-05, 8.125767698e-05, -4.622833092e-07, -0.0002593230432, 0, 0,
      0.0003507734506, 8.729116637e-06, 7.027638733e-06, 4.347551459e-06, 3.528101668e-05}},
    {"autocorr1_h",
     1e-9,
     {0.9758979097, 0.9778543722, 0.9905055943, -0.003530590786, 1, NAN, NAN, 0.9864019436,
      0.9910146828, 0.9927454167, 0.9946424295, 0.8136024867}},
    {"autocorr1_v",
     1e-9,
     {0.9763171575, 0.9781461839, 0.9902872584, -0.002163940293, 1, NAN, NAN, 0.987306297,
      0.99144511, 0.9932107873, 0.9952216206, 0.8136163014}},
};

START_TEST(the_test_images_are_those_the_golden_values_belong_to) {
    for (gsize i = 0; i < GOLDEN_IMAGES; i++) {
        g_autoptr(Plane) plane = golden_images[i].make();
        ck_assert_msg(image_crc(plane) == golden_images[i].crc, "%s is another image",
                      golden_images[i].name);
    }
}
END_TEST

START_TEST(numbers_have_the_values_of_their_formulas) {
    golden_check(golden_numpy, G_N_ELEMENTS(golden_numpy));
}
END_TEST

/* ------------------------------------------------- what holds for every number --- */

static Plane *floats_of(double first, double second) {
    const double values[] = {first, second, first, second, first, second, first, second, first};
    return image_floats(3, 3, values);
}

static GPtrArray *awkward_planes(void) {
    GPtrArray *planes = g_ptr_array_new_with_free_func((GDestroyNotify)plane_free);
    static const struct {
        int width, height;
    } sizes[] = {{1, 1}, {1, 2}, {2, 1}, {1, 50}, {50, 1}, {2, 2}, {3, 3}, {5, 4}, {31, 31}};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
            int count = sizes[i].width * sizes[i].height;
            gint64 *pixels = g_new(gint64, count);
            for (int pixel = 0; pixel < count; pixel++)
                pixels[pixel] = image_hash((guint32)pixel) & 255;
            g_ptr_array_add(planes, image_plane(type, sizes[i].width, sizes[i].height, pixels));
            g_ptr_array_add(planes, image_constant(type, sizes[i].width, sizes[i].height, 0));
            g_ptr_array_add(planes, image_constant(type, sizes[i].width, sizes[i].height, 200));
        }
    g_ptr_array_add(planes, image_constant(PLANE_U16, 20, 20, 65535));
    g_ptr_array_add(planes, floats_of(NAN, NAN));
    g_ptr_array_add(planes, floats_of(NAN, 3));
    g_ptr_array_add(planes, floats_of(INFINITY, -INFINITY));
    g_ptr_array_add(planes, floats_of(-5, -7));
    g_ptr_array_add(planes, floats_of(-1e308, 1e308));
    g_ptr_array_add(planes, floats_of(1e-310, 2e-310));
    g_ptr_array_add(planes, floats_of(0.0, -0.0));
    return planes;
}

START_TEST(every_number_of_every_awkward_image_is_finite_or_null) {
    g_autoptr(GPtrArray) planes = awkward_planes();
    for (guint i = 0; i < planes->len; i++) {
        g_autofree double *values = measure_plane(planes->pdata[i], NULL);
        ck_assert_ptr_nonnull(values);
        for (guint place = 0; place < measure_places(); place++)
            ck_assert_msg(!isinf(values[place]), "%s is infinite", measure_column_at(place)->name);
        ck_assert(!isnan(value_of(values, "total_area")));
    }
}
END_TEST

START_TEST(every_number_is_defined_for_an_ordinary_image) {
    g_autoptr(Plane) plane = image_cells16();
    plane->pixel_size_um = 1e-4; /* small enough for an electron microscope's measures, too */
    g_autofree double *values = measure_plane(plane, NULL);
    for (guint i = 0; i < measure_places(); i++)
        ck_assert_msg(isfinite(values[i]), "%s is NULL", measure_column_at(i)->name);
}
END_TEST

START_TEST(every_number_says_what_it_is) {
    g_autoptr(GRegex) name = g_regex_new("^[a-z][a-z0-9_]{0,62}$", 0, 0, NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < measure_columns_count(); i++) {
        const PipelineColumn *column = measure_column(i);
        const MeasureNumber *number = column->number;
        ck_assert_msg(g_regex_match(name, column->name, 0, NULL), "name %s", column->name);
        ck_assert_msg(g_hash_table_add(seen, (char *)column->name), "%s twice", column->name);
        const char *const texts[] = {number->unit, column->formula, number->source, number->detects,
                                     number->cost};
        for (gsize text = 0; text < G_N_ELEMENTS(texts); text++) {
            ck_assert_msg(texts[text] != NULL && *texts[text] != '\0', "%s", column->name);
            ck_assert_msg(!g_str_has_suffix(texts[text], "."), "%s", column->name);
        }
        ck_assert_msg(column->cellprofiler == NULL || strstr(column->cellprofiler, "{channel}"),
                      "%s", column->name);
        ck_assert_int_ge(number->version, 1);
        ck_assert((number->kind == MEASURE_ARRAY) == (number->length > 0));
    }
}
END_TEST

START_TEST(measuring_twice_gives_the_same_bits) {
    g_autoptr(Plane) plane = image_odd16();
    g_autofree double *first = measure_plane(plane, NULL);
    g_autofree double *second = measure_plane(plane, NULL);
    ck_assert_mem_eq(first, second, measure_places() * sizeof *first);
}
END_TEST

/* ------------------------------------------------------ what formulas promise --- */

START_TEST(a_constant_image_has_the_values_cellprofiler_gives_it) {
    static const struct {
        const char *name;
        double value;
    } expected[] = {
        {"pct_max", 100},
        {"pct_min", 100},
        {"focus_score", 0},
        {"std", 0},
        {"mean", 1234 / 65535.},
        {"mad", 0},
        {"entropy", 0},
        {"n_levels", 1},
        {"lap_var", 0},
        {"tenengrad", 0},
        {"bg_mode", 1234 / 65535.},
        {"noise_sigma", 0},
        {"vollath_f4", 0},
    };
    g_autoptr(Plane) plane = image_constant(PLANE_U16, 64, 64, 1234);
    g_autofree double *values = measure_plane(plane, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        ck_assert_double_eq_tol(value_of(values, expected[i].name), expected[i].value, 1e-15);
    /* CellProfiler adds the epsilon of 32-bit floats before the logarithm */
    ck_assert_double_eq_tol(value_of(values, "thr_otsu_2w"), 1234 / 65535. + 1.19e-7, 3e-9);
    ck_assert_double_eq_tol(value_of(values, "thr_robust_bg"), 1234 / 65535., 1e-9);

    static const char *const undefined[] = {"skewness",   "kurtosis",    "thr_triangle",
                                            "sbr",        "cnr",         "level_step",
                                            "lap_excess", "autocorr1_h", "snr_db"};
    for (gsize i = 0; i < G_N_ELEMENTS(undefined); i++)
        ck_assert_msg(isnan(value_of(values, undefined[i])), "%s", undefined[i]);
}
END_TEST

START_TEST(a_black_image_is_all_zero_as_in_cellprofilers_own_tests) {
    g_autoptr(Plane) plane = image_constant(PLANE_U16, 100, 100, 0);
    g_autofree double *values = measure_plane(plane, NULL);
    static const char *const zero[] = {"focus_score", "mean", "std", "max", "total_intensity"};
    for (gsize i = 0; i < G_N_ELEMENTS(zero); i++)
        ck_assert_double_eq(value_of(values, zero[i]), 0);
    ck_assert_double_eq(value_of(values, "pct_max"), 100);
    ck_assert_double_eq(value_of(values, "pct_zero"), 100);
}
END_TEST

START_TEST(a_quarter_of_ones_is_a_quarter_at_the_maximum) {
    gint64 *pixels = g_new0(gint64, 100);
    for (int i = 0; i < 25; i++)
        pixels[i * 4] = 1;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 10, 10, pixels);
    ck_assert_double_eq(measure_one(plane, "pct_max"), 25);
    ck_assert_double_eq(measure_one(plane, "pct_min"), 75);
}
END_TEST

START_TEST(adding_a_constant_leaves_the_differences) {
    gint64 *pixels = image_cells(301, 257, 25, 5, 14, 12000, 400, 2);
    for (int i = 0; i < 301 * 257; i++)
        pixels[i] += 20000;
    g_autoptr(Plane) brighter = image_plane(PLANE_U16, 301, 257, pixels);
    g_autoptr(Plane) plane = image_odd16();
    g_autofree double *before = measure_plane(plane, NULL);
    g_autofree double *after = measure_plane(brighter, NULL);
    static const char *const same[] = {
        "std",         "mad",      "lap_var",     "tenengrad",         "brenner_h",
        "brenner_v",   "grad_h",   "grad_v",      "noise_sigma",       "entropy",
        "autocorr1_h", "skewness", "fg_fraction", "otsu_separability", "snr_db"};
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
        ck_assert_double_eq_tol(value_of(after, same[i]) / value_of(before, same[i]), 1, 1e-9);
}
END_TEST

START_TEST(doubling_the_intensity_scales_as_the_unit_says) {
    gint64 *pixels = image_cells(301, 257, 25, 5, 14, 12000, 400, 2);
    for (int i = 0; i < 301 * 257; i++)
        pixels[i] *= 2;
    g_autoptr(Plane) doubled = image_plane(PLANE_U16, 301, 257, pixels);
    g_autoptr(Plane) plane = image_odd16();
    plane->pixel_size_um = doubled->pixel_size_um = 1e-4;
    g_autofree double *before = measure_plane(plane, NULL);
    g_autofree double *after = measure_plane(doubled, NULL);
    for (guint i = 0; i < measure_places(); i++) {
        const MeasureNumber *number = measure_column_at(i)->number;
        if (number->kind == MEASURE_HASH || strcmp(measure_column_at(i)->measure, "texture") == 0)
            continue; /* of other pixels: another one; of 8-bit levels: others */
        double factor = strcmp(number->unit, "x") == 0            ? 2
                        : strcmp(number->unit, "1e-4 x") == 0     ? 2
                        : strcmp(number->unit, "x^2") == 0        ? 4
                        : g_str_equal(number->name, "level_step") ? 2
                                                                  : 1;
        /* thresholds between grey values move with the gaps, and CellProfiler's Otsu adds the
           epsilon of 32-bit floats */
        double tolerance = g_str_has_prefix(number->name, "thr_") ? 2e-3 : 1e-9;
        ck_assert_msg(fabs(after[i] - factor * before[i]) <= tolerance * fabs(factor * before[i]),
                      "%s: %.12g became %.12g", number->name, before[i], after[i]);
    }
}
END_TEST

START_TEST(floats_give_the_same_numbers_as_whole_numbers_of_the_same_values) {
    static const char *const other_bins[] = {"bg_mode",     "thr_triangle",   "thr_yen",
                                             "thr_isodata", "thr_maxentropy", NULL};
    g_autoptr(Plane) whole = image_odd16();
    g_autoptr(Plane) floats =
        image_plane(PLANE_F32, 301, 257, image_cells(301, 257, 25, 5, 14, 12000, 400, 2));
    floats->scale = 65535;
    g_autofree double *a = measure_plane(whole, NULL);
    g_autofree double *b = measure_plane(floats, NULL);
    for (guint i = 0; i < measure_places(); i++) {
        const char *name = measure_column_at(i)->name;
        /* level_step and pct_saturated are for whole numbers; a hash knows the pixels' type */
        if (isnan(b[i]) || g_strv_contains(other_bins, name) || g_str_equal(name, "pixel_hash"))
            continue;
        ck_assert_msg(fabs(a[i] - b[i]) <= 1e-9 * fabs(a[i]), "%s: %.12g, %.12g", name, a[i], b[i]);
    }
    /* the background is flat noise of 0 to 510 */
    ck_assert_double_eq_tol(value_of(a, "bg_mode"), value_of(b, "bg_mode"), 510 / 65535.);
}
END_TEST

START_TEST(pixels_that_are_not_finite_are_counted_and_left_out) {
    const double values[] = {1, 2, NAN, 3, INFINITY, 4};
    g_autoptr(Plane) plane = image_floats(3, 2, values);
    ck_assert_double_eq(measure_one(plane, "n_nonfinite"), 2);
    ck_assert_double_eq(measure_one(plane, "total_area"), 4);
    ck_assert_double_eq(measure_one(plane, "mean"), 2.5);
    ck_assert_double_eq(measure_one(plane, "max"), 4);
}
END_TEST

START_TEST(nothing_but_nan_has_a_size_and_nothing_else) {
    g_autoptr(Plane) plane = floats_of(NAN, NAN);
    g_autofree double *values = measure_plane(plane, NULL);
    for (guint i = 0; i < measure_places(); i++) {
        const char *name = measure_column_at(i)->name;
        bool said = g_str_has_prefix(name, "intensity_") || strcmp(name, "total_area") == 0 ||
                    strcmp(name, "n_nonfinite") == 0;
        ck_assert_msg(isnan(values[i]) == !said, "%s", name);
    }
    ck_assert_double_eq(value_of(values, "n_nonfinite"), 9);
}
END_TEST

START_TEST(saturation_is_the_detectors_limit_not_the_images) {
    static const struct {
        PlaneType type;
        gint64 largest;
        double percent;
    } cases[] = {{PLANE_U16, 65535, 25}, {PLANE_U16, 4095, 25}, {PLANE_U16, 4094, 0},
                 {PLANE_U16, 5000, 0},   {PLANE_U8, 255, 25},   {PLANE_U8, 127, 0},
                 {PLANE_U16, 1, 0},      {PLANE_U16, 16383, 25}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 *pixels = g_new0(gint64, 16);
        for (int pixel = 0; pixel < 4; pixel++)
            pixels[pixel] = cases[i].largest;
        g_autoptr(Plane) plane = image_plane(cases[i].type, 4, 4, pixels);
        ck_assert_double_eq(measure_one(plane, "pct_saturated"), cases[i].percent);
    }
}
END_TEST

START_TEST(signed_files_are_zero_where_their_own_zero_is) {
    gint64 *pixels = g_new(gint64, 4);
    pixels[0] = 32768;
    pixels[1] = 32768;
    pixels[2] = 0;
    pixels[3] = 65535;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 2, 2, pixels);
    plane->offset = -32768;
    ck_assert_double_eq(measure_one(plane, "pct_zero"), 50);
    ck_assert_double_eq(measure_one(plane, "pct_saturated"), 25);
    ck_assert_double_eq(measure_one(plane, "intensity_offset"), -32768);
}
END_TEST

/* --- blur --- */

/* Defocus comes before the camera's noise: blur the cells, then add the noise. */
static Plane *defocused(int passes) {
    enum { WIDTH = 300, HEIGHT = 240 };
    gint64 *pixels = image_cells(WIDTH, HEIGHT, 25, 5, 14, 12000, 400, 2);
    for (guint32 i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] -= 2 * (gint64)image_noise(i, 2);
    for (int pass = 0; pass < passes; pass++)
        pixels = image_boxed(pixels, WIDTH, HEIGHT);
    for (guint32 i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] += (gint64)(image_noise(i, 11) + image_noise(i, 12));
    return image_plane(PLANE_U16, WIDTH, HEIGHT, pixels);
}

START_TEST(focus_measures_fall_steadily_with_defocus_under_noise) {
    static const char *const names[] = {"vollath_f4", "lap_excess", "tenengrad", "focus_score"};
    static const int passes[] = {0, 1, 2, 4, 8, 16};
    g_autofree double *sharper = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(passes); i++) {
        g_autoptr(Plane) plane = defocused(passes[i]);
        double *values = measure_plane(plane, NULL);
        for (gsize name = 0; sharper != NULL && name < G_N_ELEMENTS(names); name++)
            ck_assert_msg(value_of(values, names[name]) < value_of(sharper, names[name]),
                          "%s does not fall after %d passes", names[name], passes[i]);
        g_free(sharper);
        sharper = values;
    }
}
END_TEST

SUITE("measure", the_test_images_are_those_the_golden_values_belong_to,
      numbers_have_the_values_of_their_formulas,
      every_number_of_every_awkward_image_is_finite_or_null,
      every_number_is_defined_for_an_ordinary_image, every_number_says_what_it_is,
      measuring_twice_gives_the_same_bits, a_constant_image_has_the_values_cellprofiler_gives_it,
      a_black_image_is_all_zero_as_in_cellprofilers_own_tests,
      a_quarter_of_ones_is_a_quarter_at_the_maximum, adding_a_constant_leaves_the_differences,
      doubling_the_intensity_scales_as_the_unit_says,
      floats_give_the_same_numbers_as_whole_numbers_of_the_same_values,
      pixels_that_are_not_finite_are_counted_and_left_out,
      nothing_but_nan_has_a_size_and_nothing_else, saturation_is_the_detectors_limit_not_the_images,
      signed_files_are_zero_where_their_own_zero_is,
      focus_measures_fall_steadily_with_defocus_under_noise)
