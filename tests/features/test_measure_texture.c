#include "features/measures/component_tree.h"
#include "tests/features/golden.h"
#include "tests/suite.h"
#include <string.h>

/* -------------------------------------------------------------------------- texture --- */

/* The formulas in numpy 1.24, the tables agreeing with scikit-image 0.19's graycomatrix of
 * img_as_ubyte of the image. */
static const Golden golden_texture[] = {
    {"texture_angular_second_moment_3_00",
     1e-8,
     {0.1474630083, 0.1864143229, 0.1254138583, 0.003741331523, 0.002572933947, 1, 1, 0.1460912277,
      0.3783407767, 0.6501617443, 0.6503326183, 0.003923048238},
     1e-7},
    {"texture_contrast_3_00",
     1e-8,
     {4.199814792, 11.73266654, 32.39873757, 42.65966218, 1.501946964, 0, 0, 130.5940554,
      3.41261972, 2.64210871, 1.647746807, 21.41311855},
     1e-7},
    {"texture_correlation_3_00",
     1e-8,
     {0.907309389, 0.876528792, 0.9330057881, -0.005154040564, 0.9994908585, 1, 1, 0.8977275397,
      0.9231695529, 0.9375054462, 0.9531462068, 0.7307275193},
     1e-7},
    {"texture_variance_3_00",
     1e-8,
     {22.65501729, 47.51175087, 241.8025129, 21.22045998, 1474.979799, 0, 0, 638.4614934,
      22.20877171, 21.13871169, 17.58392111, 39.76106005},
     1e-7},
    {"texture_inverse_difference_moment_3_00",
     1e-8,
     {0.6385081538, 0.6706928029, 0.6176887945, 0.1662633034, 0.4498053036, 1, 1, 0.6233935632,
      0.7729818029, 0.8709044452, 0.8765132104, 0.2880209855},
     1e-7},
    {"texture_sum_average_3_00",
     1e-8,
     {9.207008227, 8.62779098, 12.23999215, 23.70777236, 173.7354101, 10, 0, 29.5277246, 8.95248547,
      8.694785527, 8.661888098, 225.4192657},
     1e-7},
    {"texture_sum_variance_3_00",
     1e-8,
     {86.42025438, 178.314337, 934.811314, 42.22217773, 5898.417251, 0, 0, 2423.251918, 85.42246712,
      81.91273804, 68.68793763, 137.6311216},
     1e-7},
    {"texture_sum_entropy_3_00",
     1e-8,
     {2.728479782, 2.548304986, 2.684933674, 4.716555781, 7.846606463, 0, 0, 2.956413356,
      2.09528074, 1.608321308, 1.683593464, 5.537574718},
     1e-7},
    {"texture_entropy_3_00",
     1e-8,
     {3.819020418, 3.479549328, 3.849218899, 8.101944294, 8.846606463, 0, 0, 4.135805966,
      2.729639581, 2.032100877, 2.067074904, 8.466040852},
     1e-7},
    {"texture_difference_variance_3_00",
     1e-8,
     {0.006000249117, 0.005880143857, 0.003017129555, 0.001525989304, 0.00408939121, 0.1388888889,
      0, 0.001372832192, 0.007697244928, 0.01165959105, 0.01306911487, 0.000926556857},
     1e-7},
    {"texture_difference_entropy_3_00",
     1e-8,
     {1.840090295, 1.832754022, 1.921197896, 3.784139185, 0.6515271397, 0, 0, 2.223911126,
      1.546922544, 1.143812612, 1.062470165, 3.073952101},
     1e-7},
    {"texture_info_meas1_3_00",
     1e-8,
     {-0.1799696732, -0.1675753391, -0.1361412314, -0.0004247210445, -0.7772929524, 0, 0,
      -0.187348266, -0.2620625415, -0.4085547053, -0.5266275847, -0.1849089503},
     1e-7},
    {"texture_info_meas2_3_00",
     1e-8,
     {0.7280910895, 0.6861568162, 0.6558288403, 0.05861638807, 0.9999934822, 0, 0, 0.7580783396,
      0.7489833741, 0.8048171071, 0.8785392192, 0.9065392114},
     1e-7},
    {"texture_angular_second_moment_3_01",
     1e-8,
     {0.1457475603, 0.183247904, 0.1245806542, 0.003739284068, 0.002242882622, 1, 1, 0.1443800996,
      0.3738635969, 0.6385916382, 0.6402293541, 0.003905625723},
     1e-7},
    {"texture_contrast_3_01",
     1e-8,
     {6.922358183, 21.26467791, 59.82893148, 42.01587277, 3.252889615, 0, 0, 224.7029743,
      5.984437603, 4.807842045, 2.959593459, 23.13391951},
     1e-7},
    {"texture_correlation_3_01",
     1e-8,
     {0.8474165048, 0.7776732857, 0.8765747115, 0.01003728924, 0.9988940203, 1, 1, 0.8222346419,
      0.8654260019, 0.8863774373, 0.9158422256, 0.7071751982},
     1e-7},
    {"texture_variance_3_01",
     1e-8,
     {22.68383671, 47.8230382, 242.3690162, 21.22093707, 1470.591878, 0, 0, 632.0212687, 22.234747,
      21.15707449, 17.58360104, 39.50129798},
     1e-7},
    {"texture_inverse_difference_moment_3_01",
     1e-8,
     {0.6309829283, 0.662625054, 0.6146559857, 0.1688506674, 0.2747110385, 1, 1, 0.6213534146,
      0.764626481, 0.8587488681, 0.8617345777, 0.2859748878},
     1e-7},
    {"texture_sum_average_3_01",
     1e-8,
     {9.21241279, 8.65071606, 12.25489306, 23.71072818, 173.7353524, 10, 0, 29.39255697,
      8.957639136, 8.699740627, 8.666630571, 225.5107823},
     1e-7},
    {"texture_sum_variance_3_01",
     1e-8,
     {83.81298867, 170.0274749, 909.6471332, 42.8678755, 5879.114623, 0, 0, 2303.382101,
      82.95455041, 79.82045592, 67.37481071, 134.8712724},
     1e-7},
    {"texture_sum_entropy_3_01",
     1e-8,
     {2.758393086, 2.601102136, 2.71525095, 4.72649574, 8.019259015, 0, 0, 2.996747213, 2.125699825,
      1.642833747, 1.715923041, 5.523534656},
     1e-7},
    {"texture_entropy_3_01",
     1e-8,
     {3.887989105, 3.561137844, 3.891953877, 8.102355207, 9.019259015, 0, 0, 4.178013408,
      2.802926721, 2.122972984, 2.175034868, 8.496155988},
     1e-7},
    {"texture_difference_variance_3_01",
     1e-8,
     {0.005865893005, 0.005771737457, 0.002987290964, 0.001560457981, 0.003544290141, 0.1388888889,
      0, 0.001367292112, 0.007540144741, 0.01133187521, 0.01266004437, 0.0009109430795},
     1e-7},
    {"texture_difference_entropy_3_01",
     1e-8,
     {1.938255027, 1.931773632, 1.982270018, 3.775233863, 0.8097479084, 0, 0, 2.286645275,
      1.645055434, 1.261640568, 1.19198509, 3.121471237},
     1e-7},
    {"texture_info_meas1_3_01",
     1e-8,
     {-0.148436205, -0.1288876675, -0.1162750164, -0.0003467374272, -0.7529324084, 0, 0,
      -0.1633578952, -0.2171442026, -0.3391432874, -0.452582175, -0.1764606732},
     1e-7},
    {"texture_info_meas2_3_01",
     1e-8,
     {0.6810824545, 0.6226901044, 0.6176630022, 0.05297105752, 0.9999906872, 0, 0, 0.7241673267,
      0.7034087453, 0.7614427746, 0.84841659, 0.8982512804},
     1e-7},
    {"texture_angular_second_moment_3_02",
     1e-8,
     {0.1475814809, 0.1861521788, 0.1253028576, 0.003740660708, 0.002428082852, 1, 1, 0.1466761351,
      0.3783761073, 0.6518241368, 0.652343764, 0.003930456545},
     1e-7},
    {"texture_contrast_3_02",
     1e-8,
     {4.037375943, 11.51858634, 33.49380896, 42.46181756, 0.5836585968, 0, 0, 119.9776431,
      3.243433194, 2.468580832, 1.471102977, 21.40154562},
     1e-7},
    {"texture_correlation_3_02",
     1e-8,
     {0.9109441587, 0.879879145, 0.9310895282, -0.0001554491482, 0.9998046684, 1, 1, 0.9044137726,
      0.9270170895, 0.9416336975, 0.9581723196, 0.7305473993},
     1e-7},
    {"texture_variance_3_02",
     1e-8,
     {22.66766494, 47.9458223, 243.0240867, 21.22760897, 1494.019562, 0, 0, 627.5885469,
      22.22049772, 21.14731211, 17.5852804, 39.71300623},
     1e-7},
    {"texture_inverse_difference_moment_3_02",
     1e-8,
     {0.639467101, 0.6697305723, 0.6165937681, 0.1676421763, 0.7081707016, 1, 1, 0.6242991038,
      0.7736300089, 0.8734156315, 0.8815622609, 0.2885894869},
     1e-7},
    {"texture_sum_average_3_02",
     1e-8,
     {9.212552288, 8.649462422, 12.26631289, 23.70947073, 173.7353384, 10, 0, 29.29664983,
      8.95798987, 8.699849286, 8.666097646, 225.422842},
     1e-7},
    {"texture_sum_variance_3_02",
     1e-8,
     {86.63328384, 180.2647029, 938.6025379, 42.44861831, 5975.494591, 0, 0, 2390.376544,
      85.6385577, 82.12066763, 68.87001861, 137.4504793},
     1e-7},
    {"texture_sum_entropy_3_02",
     1e-8,
     {2.726051116, 2.553075616, 2.685746746, 4.721902114, 8.217849772, 0, 0, 2.939004163,
      2.092035672, 1.60514965, 1.678924077, 5.536706454},
     1e-7},
    {"texture_entropy_3_02",
     1e-8,
     {3.815418563, 3.483214491, 3.852440517, 8.102064762, 8.801508369, 0, 0, 4.109350294,
      2.725039718, 2.025185257, 2.054361523, 8.460334965},
     1e-7},
    {"texture_difference_variance_3_02",
     1e-8,
     {0.006014273514, 0.005884030184, 0.00301542663, 0.001538451984, 0.002904475634, 0.1388888889,
      0, 0.001382192341, 0.007708731223, 0.01173325168, 0.01323974477, 0.0009275606363},
     1e-7},
    {"texture_difference_entropy_3_02",
     1e-8,
     {1.830653048, 1.830923978, 1.924933715, 3.781770769, 0.979710551, 0, 0, 2.200682312,
      1.536555687, 1.124175735, 1.025839952, 3.070825613},
     1e-7},
    {"texture_info_meas1_3_02",
     1e-8,
     {-0.1829574337, -0.1680642239, -0.1356430743, -0.0004096381091, -0.7847224575, 0, 0,
      -0.1888983064, -0.2666609816, -0.4152149649, -0.5366138416, -0.1858615878},
     1e-7},
    {"texture_info_meas2_3_02",
     1e-8,
     {0.7322709383, 0.6871955984, 0.6550724072, 0.05756813914, 0.9999942117, 0, 0, 0.7587203811,
      0.7534063721, 0.8086778173, 0.882239621, 0.9073831163},
     1e-7},
    {"texture_angular_second_moment_3_03",
     1e-8,
     {0.1456995358, 0.1834170046, 0.1245888568, 0.003738240782, 0.002447525189, 1, 1, 0.1443914843,
      0.3730760865, 0.6364758087, 0.6393258603, 0.003904111785},
     1e-7},
    {"texture_contrast_3_03",
     1e-8,
     {6.964270429, 19.79477356, 60.69534209, 42.5667328, 0.5836460892, 0, 0, 229.8586028,
      6.035085005, 4.881255511, 3.056525842, 23.24518973},
     1e-7},
    {"texture_correlation_3_03",
     1e-8,
     {0.8464927818, 0.7930415987, 0.8747873661, -0.00295394145, 0.9998014688, 1, 1, 0.8181558509,
      0.8642872621, 0.8846424986, 0.9130858965, 0.7057613101},
     1e-7},
    {"texture_variance_3_03",
     1e-8,
     {22.68385328, 47.82307322, 242.3690812, 21.22068175, 1469.910016, 0, 0, 632.0208924,
      22.23477729, 21.15707887, 17.58360104, 39.50056626},
     1e-7},
    {"texture_inverse_difference_moment_3_03",
     1e-8,
     {0.6303064511, 0.6630098577, 0.6145202958, 0.1663227929, 0.7081769554, 1, 1, 0.6212994907,
      0.7633621939, 0.8566397771, 0.8593612172, 0.2852680795},
     1e-7},
    {"texture_sum_average_3_03",
     1e-8,
     {9.212402477, 8.650689637, 12.25487331, 23.71025949, 173.7353524, 10, 0, 29.39261634,
      8.957608197, 8.69973547, 8.666630571, 225.5108364},
     1e-7},
    {"texture_sum_variance_3_03",
     1e-8,
     {83.77114268, 171.4975193, 908.7809828, 42.3159942, 5879.056419, 0, 0, 2298.224967,
      82.90402414, 79.74705999, 67.27787833, 134.7570753},
     1e-7},
    {"texture_sum_entropy_3_03",
     1e-8,
     {2.759544361, 2.594162825, 2.715897525, 4.718312174, 8.206971086, 0, 0, 3.002036501,
      2.127578205, 1.647185023, 1.718804035, 5.52237198},
     1e-7},
    {"texture_entropy_3_03",
     1e-8,
     {3.890739188, 3.553343391, 3.893002244, 8.102408281, 8.790617175, 0, 0, 4.182456279,
      2.805712826, 2.128390729, 2.179533891, 8.495021405},
     1e-7},
    {"texture_difference_variance_3_03",
     1e-8,
     {0.005855306264, 0.005766139749, 0.002986410527, 0.00152087927, 0.002904451719, 0.1388888889,
      0, 0.001364239632, 0.0075121735, 0.01125354626, 0.01259293295, 0.0009104894725},
     1e-7},
    {"texture_difference_entropy_3_03",
     1e-8,
     {1.942337427, 1.926179687, 1.984492592, 3.78398756, 0.9797166462, 0, 0, 2.293938302,
      1.652412742, 1.276040537, 1.206765187, 3.120634695},
     1e-7},
    {"texture_info_meas1_3_03",
     1e-8,
     {-0.1471317233, -0.1329552109, -0.1157689683, -0.0003361466002, -0.7843973433, 0, 0,
      -0.1614025663, -0.2153361721, -0.3348913296, -0.4493813675, -0.1767002802},
     1e-7},
    {"texture_info_meas2_3_03",
     1e-8,
     {0.6789175654, 0.6301943305, 0.6166142434, 0.05215695512, 0.9999940841, 0, 0, 0.7212268938,
      0.7013534122, 0.7584191363, 0.8469227695, 0.8984906465},
     1e-7},
};

/* The definition in CellProfiler's library, with scipy 1.10's map_coordinates and scikit-image
 * 0.19's erosion, dilation and reconstruction. */
static const Golden golden_granularity[] = {
    {"granularity_1",
     1e-5,
     {11.86879314, 14.46186321, 7.050123205, 23.27099179, 0.003036923226, 0, 0, 11.18624108,
      7.989145581, 5.865150261, 3.592707174, 10.74719374},
     1e-5},
    {"granularity_2",
     1e-5,
     {15.74549828, 29.28375695, 18.13678175, 15.34113581, 0.01012295879, 0, 0, 32.0494008,
      17.59744324, 18.07159655, 15.31925393, 3.323624478},
     1e-5},
    {"granularity_3",
     1e-5,
     {18.40432467, 27.99557563, 26.47905434, 15.10074231, 0.02125846258, 0, 0, 29.7586795,
      24.04537458, 25.60757182, 24.72936917, 1.674441294},
     1e-5},
    {"granularity_4",
     1e-5,
     {18.54181515, 4.736543698, 29.38673163, 12.70958458, 0.03644307871, 0, 0, 15.02940975,
      23.52402902, 25.47805085, 26.34193902, 1.148739358},
     1e-5},
    {"granularity_5",
     1e-5,
     {6.532716446, 11.63705928, 4.183026795, 9.255435354, 0.05567643152, 0, 0, 0.1552446626,
      8.170988974, 11.81543302, 17.2258932, 0.02211171113},
     1e-5},
    {"granularity_6",
     1e-5,
     {14.17989092, 6.023241158, 8.095086556, 6.278878817, 0.07896000387, 0, 0, 0, 4.744564004,
      0.6247274998, 4.953333245, 0},
     1e-5},
    {"granularity_7",
     1e-5,
     {3.197282905, 0.1599561797, 1.44219813, 7.281893212, 0.1062913441, 0, 0, 0, 2.635830914,
      1.572018538, 1.502688557, 0.1712491764},
     1e-5},
    {"granularity_8",
     1e-5,
     {6.208725229, 2.387121938, 1.842384524, 0, 0.1376738529, 0, 0, 0, 3.260672351, 3.536616216,
      0.9182300235, 0.197758863},
     1e-5},
    {"granularity_9",
     1e-5,
     {0.6478852535, 1.073307498, 1.748578312, 0.7462374814, 0.1731028445, 0, 0, 11.8210242,
      1.581833465, 1.406979288, 0.9525511942, 0.121143646},
     1e-5},
    {"granularity_10",
     1e-5,
     {0.9815673747, 0.5654660384, 0, 0, 0.2125846258, 0, 0, 0, 1.924261407, 0, 0, 0},
     1e-5},
    {"granularity_11",
     1e-5,
     {0, 0, 0, 0.7487909275, 0.2561138587, 0, 0, 0, 0.8922460875, 0.4816940789, 0, 2.953412747},
     1e-5},
    {"granularity_12",
     1e-5,
     {0, 1.11363591, 0.358370965, 0, 0.3036894755, 0, 0, 0, 0.4490024799, 1.225745333, 0.7182909629,
      0},
     1e-5},
    {"granularity_13",
     1e-5,
     {0, 0, 0.7256333932, 6.903088339, 0.3553200174, 0, 0, 0, 0, 0, 0, 0.4381721295},
     1e-5},
    {"granularity_14",
     1e-5,
     {0, 0, 0, 0, 0.4109930681, 0, 0, 0, 0, 1.250522464, 1.283934161, 0},
     1e-5},
    {"granularity_15",
     1e-5,
     {2.33139391, 0, 0, 0, 0.4707231, 0, 0, 0, 0, 0, 0, 0.03972495326},
     1e-5},
    {"granularity_16",
     1e-5,
     {0, 0.2807937307, 0, 0.7844702679, 0.53449311, 0, 0, 0, 0.9467666069, 0, 1.078172883,
      0.3213551046},
     1e-5},
};

START_TEST(texture_has_the_values_of_its_formulas) {
    golden_check(golden_texture, G_N_ELEMENTS(golden_texture));
}
END_TEST

START_TEST(granularity_has_the_values_cellprofilers_definition_gives) {
    golden_check(golden_granularity, G_N_ELEMENTS(golden_granularity));
}
END_TEST

static double texture_of(Plane *plane, const char *name) {
    Pipeline *pipeline = measuring_pipeline("texture:1");
    g_autoptr(Measurement) measurement = pipeline_measure(pipeline, plane, NULL);
    int index = pipeline_column_find(pipeline, name);
    ck_assert_msg(index >= 0, "no number is called %s", name);
    return measurement->values[pipeline_column(pipeline, (guint)index)->place];
}

static Plane *levels_plane(int width, int height, const guint8 *levels) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = levels[i];
    return image_plane(PLANE_U8, width, height, pixels);
}

/* 0 0 1    to the right stand (0,0) (0,1) (2,1) (1,0) (2,2) (2,1): six pairs, twelve in both
 * 2 1 0    orders, so p is 2/12 for (0,0), (0,1), (1,0), (1,2), (2,1), (2,2)
 * 2 2 1 */
START_TEST(six_pairs_counted_by_hand) {
    g_autoptr(Plane) plane = levels_plane(3, 3, (guint8[]){0, 0, 1, 2, 1, 0, 2, 2, 1});
    const struct {
        const char *name;
        double value;
    } expected[] = {
        {"texture_angular_second_moment_1_00", 6 / 36.},
        {"texture_contrast_1_00", 4 / 6.},
        {"texture_correlation_1_00", 0.5}, /* mean of ij 8/6, of i 1; variance 4/6 */
        {"texture_variance_1_00", 4 / 6.},
        {"texture_inverse_difference_moment_1_00", 2 / 6. + 4 / 6. / 2},
        {"texture_sum_average_1_00", 2},
        {"texture_sum_variance_1_00", 2},
        {"texture_entropy_1_00", 2.584962500721156},            /* log2 6 */
        {"texture_difference_entropy_1_00", 0.918295834054489}, /* of 1/3, 2/3 */
        {"texture_difference_variance_1_00", 2 / 27.},          /* of 1/3, 2/3, 0 */
        {"texture_info_meas1_1_00",
         (2.584962500721156 - 2 * 1.584962500721156) / 1.584962500721156},
        /* (0,1) (0,0) (2,2) (1,1): down and right; (2,1) (1,0) ... down and left */
        {"texture_contrast_1_01", 0.25},
        {"texture_contrast_1_02", 8 / 6.},
        {"texture_contrast_1_03", 2.25},
        {"texture_correlation_1_02", 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        ck_assert_double_eq_tol(texture_of(plane, expected[i].name), expected[i].value, 1e-12);
}
END_TEST

START_TEST(one_level_has_no_texture) {
    g_autoptr(Plane) plane = image_constant(PLANE_U8, 4, 3, 9);
    ck_assert_double_eq(texture_of(plane, "texture_angular_second_moment_1_01"), 1);
    ck_assert_double_eq(texture_of(plane, "texture_correlation_1_01"), 1);
    ck_assert_double_eq(texture_of(plane, "texture_contrast_1_01"), 0);
    ck_assert_double_eq(texture_of(plane, "texture_sum_average_1_01"), 18);
    ck_assert_double_eq(texture_of(plane, "texture_info_meas2_1_01"), 0);
}
END_TEST

START_TEST(directions_without_a_pair_have_no_texture) {
    g_autoptr(Plane) row = levels_plane(4, 1, (guint8[]){0, 1, 0, 1});
    ck_assert_double_eq(texture_of(row, "texture_contrast_1_00"), 1);
    ck_assert(isnan(texture_of(row, "texture_contrast_1_01")));
    ck_assert(isnan(texture_of(row, "texture_contrast_1_02")));
    g_autoptr(Plane) pixel = levels_plane(1, 1, (guint8[]){7});
    ck_assert(isnan(texture_of(pixel, "texture_entropy_1_00")));
}
END_TEST

START_TEST(pairs_with_a_pixel_that_is_not_finite_are_left_out) {
    g_autoptr(Plane) plane = image_floats(6, 1, (double[]){0, 1, NAN, 1, 1, INFINITY});
    ck_assert_double_eq(texture_of(plane, "texture_contrast_1_00"), 255 * 255 / 2.);
    g_autoptr(Plane) beyond = image_floats(2, 1, (double[]){0, 1.5});
    ck_assert(isnan(texture_of(beyond, "texture_contrast_1_00")));
}
END_TEST

/* ---------------------------------------------------------------------- granularity --- */

START_TEST(granularity_needs_sixteen_pixels_a_side) {
    g_autoptr(Plane) small = image_constant(PLANE_U8, 15, 40, 3);
    ck_assert(isnan(measure_one(small, "granularity_1")));
    g_autoptr(Plane) enough = image_constant(PLANE_U8, 16, 40, 3);
    ck_assert_double_eq(measure_one(enough, "granularity_1"), 0);
}
END_TEST

/* CellProfiler scales the background up by sizes that are not whole: 115 / 16 to 115 / 4. */
START_TEST(granularity_of_sides_that_sixteen_does_not_divide) {
    enum { WIDTH = 115, HEIGHT = 243 };
    gint64 *pixels = image_cells(WIDTH, HEIGHT, 25, 5, 14, 12000, 400, 2);
    g_autoptr(Plane) plane = image_plane(PLANE_U16, WIDTH, HEIGHT, pixels);
    const double expected[] = {12.143682, 29.359057,  31.93376, 13.631686, 5.4182018,  1.9423432,
                               0,         0.33826817, 0,        2.3510181, 0.73662212, 1.1259231,
                               0,         0,          0,        0.12659779};
    for (int size = 1; size <= 16; size++) {
        g_autofree char *name = g_strdup_printf("granularity_%d", size);
        ck_assert_double_eq_tol(measure_one(plane, name), expected[size - 1], 1e-4);
    }
}
END_TEST

START_TEST(granularity_masks_pixels_that_are_not_finite) {
    enum { SIDE = 64 };
    double *values = g_new0(double, SIDE *SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) /* grains of one pixel of the small plane, on nothing */
        values[i] = i / SIDE % 32 == 8 && i % SIDE % 32 == 8;
    g_autoptr(Plane) whole = image_floats(SIDE, SIDE, values);
    ck_assert_double_eq_tol(measure_one(whole, "granularity_1"), 100, 1e-9);
    values[8 * SIDE + 8] = NAN;
    values[40] = INFINITY;
    g_autoptr(Plane) holed = image_floats(SIDE, SIDE, values);
    ck_assert_double_eq_tol(measure_one(holed, "granularity_1"), 100, 1e-9);
    g_free(values);
}
END_TEST

/* -------------------------------------------------------------------- reconstruction --- */

/* The definition itself: until nothing changes. */
static void reconstruct_slowly(float *marker, const float *mask, int width, int height) {
    static const int steps[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    for (bool changed = true; changed;) {
        changed = false;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int step = 0; step < 4; step++) {
                    int nx = x + steps[step][0], ny = y + steps[step][1];
                    if (nx < 0 || ny < 0 || nx >= width || ny >= height)
                        continue;
                    float grown = MIN(marker[ny * width + nx], mask[y * width + x]);
                    if (grown > marker[y * width + x]) {
                        marker[y * width + x] = grown;
                        changed = true;
                    }
                }
    }
}

static double sum_of(const float *values, const guint8 *uncounted, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += uncounted[i] ? 0 : values[i];
    return sum;
}

START_TEST(reconstruction_is_what_its_definition_says) {
    static const int sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {17, 13}, {40, 31}, {33, 64}};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (guint32 seed = 0; seed < 20; seed++) {
            int width = sizes[i][0], height = sizes[i][1], count = width * height;
            g_autofree float *mask = g_new(float, count), *marker = g_new(float, count);
            g_autofree guint8 *uncounted = g_new(guint8, count);
            g_autofree void *scratch = g_malloc(component_tree_bytes((gsize)count));
            for (int place = 0; place < count; place++) {
                mask[place] = (float)(image_noise((guint32)place, seed) % (seed + 2)) / 8;
                bool starts = image_noise((guint32)place, seed + 100) < 20;
                marker[place] = starts ? mask[place] : 0;
                uncounted[place] = image_noise((guint32)place, seed + 200) < 3 * seed;
            }
            ComponentTree tree =
                component_tree_build(mask, (guint32)width, (guint32)height, uncounted, scratch);
            double sum = component_tree_reconstructed_sum(&tree, marker);
            double again = component_tree_reconstructed_sum(&tree, mask);
            ck_assert_double_eq_tol(again, sum_of(mask, uncounted, count), 1e-9);
            reconstruct_slowly(marker, mask, width, height);
            ck_assert_double_eq_tol(sum, sum_of(marker, uncounted, count), 1e-9);
        }
}
END_TEST

SUITE("measure_texture", texture_has_the_values_of_its_formulas,
      granularity_has_the_values_cellprofilers_definition_gives, six_pairs_counted_by_hand,
      one_level_has_no_texture, directions_without_a_pair_have_no_texture,
      pairs_with_a_pixel_that_is_not_finite_are_left_out, granularity_needs_sixteen_pixels_a_side,
      granularity_of_sides_that_sixteen_does_not_divide,
      granularity_masks_pixels_that_are_not_finite, reconstruction_is_what_its_definition_says)
