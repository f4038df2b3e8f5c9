#include "stream/naming.h"
#include "tests/suite.h"
#include <string.h>

/* A frame placed by its path, in a source at folder with this naming. */
static Frame *placed(const char *naming, const char *folder, const char *raw_path) {
    g_autofree char *source_folder = g_strdup(folder), *source_naming = g_strdup(naming);
    const SourceSettings source = {.folder = source_folder, .naming = source_naming};
    Frame *frame = frame_new();
    frame->path = frame_path_encode(raw_path);
    naming_place(&source, frame);
    return frame;
}

/* Everything a place tells, in one line. */
static char *place_line(const Frame *frame) {
    GString *line = g_string_new(frame->naming != NULL ? frame->naming : "-");
    const char *const texts[] = {frame->experiment, frame->plate, frame->well, frame->channel};
    const char *const text_names[] = {"e", "p", "w", "c"};
    const gint32 numbers[] = {frame->site, frame->z, frame->t};
    const char *const number_names[] = {"s", "z", "t"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i] != NULL)
            g_string_append_printf(line, " %s=%s", text_names[i], texts[i]);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i] != FRAME_UNKNOWN)
            g_string_append_printf(line, " %s=%d", number_names[i], numbers[i]);
    return g_string_free(line, FALSE);
}

static void expect_place(const char *naming, const char *folder, const char *path,
                         const char *expected) {
    g_autoptr(Frame) frame = placed(naming, folder, path);
    g_autofree char *line = place_line(frame);
    ck_assert_msg(g_str_equal(line, expected), "%s\n  is    %s\n  not   %s", path, line, expected);
}

/* Names as instruments write them, and what they mean. */
static const struct {
    const char *path, *place;
} names[] = {
    {"r01c01f01p01-ch1sk1fk1fl1.tiff", "phenix w=A01 c=1 s=1 z=1 t=1"},
    {"r04c17f01p07-ch1sk1fk1fl1.tiff", "phenix w=D17 c=1 s=1 z=7 t=1"},
    {"r02c03f012p101rc2-ch4sk3fk1fl1.TIFF", "phenix w=B03 c=4 s=12 z=101 t=3"},
    {"BR00116991__2020-11-05T19_51_35-Measurement1/Images/r16c24f09p01-ch5sk1fk1fl1.tiff",
     "phenix p=BR00116991 w=P24 c=5 s=9 z=1 t=1"},
    {"operetta_plate/Images/r03c03f01p01-ch1sk1fk1fl1.tiff",
     "phenix p=operetta_plate w=C03 c=1 s=1 z=1 t=1"},
    {"011001-1-001001001.tif", "columbus p=data w=K01 c=001 s=1 z=1 t=1"},
    {"AssayPlate_NUNC_#165305-1_B02_T0001F001L01A01Z01C02.tif",
     "yokogawa_cv p=AssayPlate_NUNC_#165305-1 w=B02 c=A01C02 s=1 z=1 t=1"},
    {"210305NAR005AAN_210416_164828_B11_T0001F006L01A04Z14C01.tif",
     "yokogawa_cv p=210305NAR005AAN_210416_164828 w=B11 c=A04C01 s=6 z=14 t=1"},
    {"20200812-CardiomyocyteDifferentiation14-Cycle1_B03_T0001F036L01A01Z18C01.png",
     "yokogawa_cv p=20200812-CardiomyocyteDifferentiation14-Cycle1 w=B03 c=A01C01 s=36 z=18 t=1"},
    {"SC_BP445-45_20x v2_M01_CH01.tif", "yokogawa_reference"},
    {"DC_DCAM#1_CAM3.tif", "yokogawa_reference"},
    {"W0262F0001T0001Z000C2.tif", "yokogawa_cq1 p=data c=2 s=1 z=0 t=1"},
    {"W1F001T0001Z01C1.tif", "yokogawa_cq1 p=data c=1 s=1 z=1 t=1"},
    {"A - 01(fld 2 wv Blue - FITC).tif", "incell p=data w=A01 c=Blue - FITC s=2"},
    {"A - 01(fld 1 wv UV - DAPI z 3 time 2 - 2636ms).tif",
     "incell p=data w=A01 c=UV - DAPI s=1 z=3 t=2"},
    {"C - 6(fld 1 wv TL - Bright field - open z 01).tif",
     "incell p=data w=C06 c=TL - Bright field - open s=1 z=1"},
    {"A - 13(fld 2).tif", "incell p=data w=A13 s=2"},
    {"A_1_f1_c1_xDAPI_mDAPI_z0_t0.tif", "incell72 p=data w=A01 c=DAPI s=1 z=0 t=0"},
    {"A1--W00001--P00001--Z00000--T00000--Alexa 488.tif",
     "scanr p=data w=A01 c=Alexa 488 s=1 z=0 t=0"},
    {"--W00001--P00001--Z00000--T00000--cherry.tif", "scanr p=data c=cherry s=1 z=0 t=0"},
    {"image--L00--S00--U02--V01--J20--E00--O00--X00--Y00--T00--Z00--C00.ome.tif",
     "leica_ms w=B03 c=00 z=0 t=0"},
    {"VID1607_C1_2_00d00h00m.tif", "incucyte_elapsed p=VID1607 w=C01 s=2 t=0"},
    {"B10_1_01d03h07m.tif", "incucyte_elapsed w=B10 s=1 t=1627"},
    {"X1/phase/B10_1_00d03h00m.tif", "incucyte_elapsed p=X1 w=B10 c=phase s=1 t=180"},
    {"R2_MDF_green_B2_1_00d00h00m.tif", "incucyte_elapsed p=R2_MDF_green w=B02 s=1 t=0"},
    {"VID123_C04_2_2026y10m05d_14h30m.tif", "incucyte_calendar p=VID123 w=C04 s=2"},
    {"scan_R_p2_z1_0_B03f01d0.tif", "evos p=scan w=B03 c=0 s=1 z=1 t=2"},
    {"i3t001A01f01d2.TIF", "cellomics_kinetic p=data w=A01 c=2 s=1 t=1"},
    {"020506plateruni3t001A01f01d2.TIF", "cellomics_kinetic p=020506platerun w=A01 c=2 s=1 t=1"},
    {"A01f01d2.TIF", "cellomics p=data w=A01 c=2 s=1"},
    {"020506platerun_A01f01d2.TIF", "cellomics p=020506platerun w=A01 c=2 s=1"},
    {"AS_09047_050428030001_O14f01d2.TIF", "cellomics p=AS_09047_050428030001 w=O14 c=2 s=1"},
    {"MFGTMP_120628160001_A01f00d0.C01", "cellomics p=MFGTMP_120628160001 w=A01 c=0 s=0"},
    {"Series002_z00_ch00.tif", "lasx_time c=00 s=2 z=0"},
    {"Pos007_S001_t50_z00_ch00.tif", "lasx_time c=00 s=7 z=0 t=50"},
    {"protocol_t0_C05_s0_w0_z0.tif", "metaxpress_hcsai p=protocol w=C05 c=0 s=0 z=0 t=0"},
    {"ACHN-20X-P009041_B02_s1_w1836B5662-3526-47FE-A453-0D1775E08D17.tif",
     "metaxpress p=ACHN-20X-P009041 w=B02 c=1 s=1"},
    {"181214-KOday7-40X-H2O2-Glu_B02_s1_w1_thumbE7E91F39-2BB5-4B83-B769-5BB151301A34.tif",
     "metaxpress p=181214-KOday7-40X-H2O2-Glu w=B02 c=1 s=1"},
    {"Plate1_A01_s1_w1.TIF", "metaxpress p=Plate1 w=A01 c=1 s=1"},
    {"ADSAStaphInfection2_A01_w2247376DD-6ADD-442D-AE47-F54A05F3EA94.tif",
     "metaxpress p=ADSAStaphInfection2 w=A01 c=2"},
    {"00_mcf-z-stacks-03212011_k06_s2_w12667264a-6432-4f7e-bf58-625a1319a1c9.tif",
     "metaxpress p=00_mcf-z-stacks-03212011 w=K06 c=1 s=2"},
    {"Timepoint_001_220518-ST_C03_s1_w1.TIF", "metaxpress p=Timepoint_001_220518-ST w=C03 c=1 s=1"},
    {"101210OranePlt1_C16_w1_[9AA4D9EA-18E4-4354-8C7D-0202029A8048].tif",
     "metaxpress p=101210OranePlt1 w=C16 c=1"},
    {"9987_Plate_3420/TimePoint_1/9987_B02.TIF", "metaxpress e=9987 p=9987_Plate_3420 w=B02 t=1"},
    {"Mix/2023-02-21/1334/ZStep_7/Mix_E07_s1_w3BB87F860-FC67-4B3A-A740-A9EACF8A8F5F.tif",
     "metaxpress p=Mix w=E07 c=3 s=1 z=7"},
    {"1697/TimePoint_2/ZStep_3/Mix_AF48_s4_w2.tif", "metaxpress p=Mix w=AF48 c=2 s=4 z=3 t=2"},
    {"WellA01_ChannelDAPI_Seq0001.nd2", "nikon_jobs p=data w=A01 c=DAPI s=1"},
    {"20201115_184113_906__WellA2_ChannelDAPI,FITC_Seq0003.tif",
     "nikon_jobs p=data w=A02 c=DAPI,FITC s=3"},
    {"A1ROI1_02_1_1_Bright Field_High Contrast_003.tif",
     "cytation p=data w=A01 c=Bright Field_High Contrast s=1 t=3"},
    {"img_channel000_position004_time000000012_z003.tif", "mm2 p=data c=000 s=4 z=3 t=12"},
    {"run_1/A1-Site_2/img_channel001_position002_time000000000_z000.tif",
     "mm2 p=run_1 w=A01 c=001 s=2 z=0 t=0"},
    {"img_000000007_DAPI_002.tif", "mm1 p=data c=DAPI z=2 t=7"},
    {"run_1/Pos3/img_000000000_Cy5_000.tif", "mm1 p=run_1 c=Cy5 s=3 z=0 t=0"},
    {"run_1/2-Pos_000_001/img_000000000_Cy5_000.tif", "mm1 p=run_1 c=Cy5 s=2 z=0 t=0"},
    {"run_1/B4-Site_7/img_000000000_Cy5_000.tif", "mm1 p=run_1 w=B04 c=Cy5 s=7 z=0 t=0"},
    {"speedtest_1_MMStack_Pos0.ome.tif", "mmstack p=speedtest_1 s=0"},
    {"x_MMStack.ome.tif", "mmstack p=x"},
    {"x_MMStack_Pos3_2.ome.tif", "mmstack p=x s=3"},
    {"x_MMStack_Default.ome.tif", "mmstack p=x"},
    {"x_MMStack_A1-Site_0.ome.tif", "mmstack p=x w=A01 s=0"},
    {"x_MMStack_2-Pos_000_001.ome.tif", "mmstack p=x s=2"},
    {"run1_NDTiffStack.tif", "ndtiff p=run1"},
    {"run1_NDTiffStack_1.tif", "ndtiff p=run1"},
    {"Plate1/Well B03/DAPI - n000000.tif", "bd_pathway p=Plate1 w=B03 c=DAPI"},
    {"FoilHole_29355517_Data_29354380_29354382_20200120_234536_Fractions.mrc", "epu s=29355517"},
    {"GridSquare_12/Data/FoilHole_1_Data_2_3_20200120_234536-0012.mrc", "epu p=GridSquare_12 s=1"},
    {"FoilHole_29355517_Data_29354380_29354382_20200120_234536.jpg", "epu s=29355517"},
    {"mydata_S00001_T00002_C00001.tiff", "zen_tiles p=mydata c=00001 s=2"},
    {"seq0000xy01c1.tif", "nis_xy p=seq0000 c=1 s=1"},
    {"ldim_xy01c1.tif", "nis_xy p=ldim_ c=1 s=1"},
    {"at3xy02z4c1.tif", "nis_xy p=a c=1 s=2 z=4 t=3"},
};

START_TEST(names_of_known_instruments_tell_their_place) {
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        expect_place("auto", "/data", names[i].path, names[i].place);
}
END_TEST

START_TEST(every_row_reads_its_own_example_and_says_something_of_it) {
    for (const Naming *naming = naming_table(); naming->key != NULL; naming++) {
        g_autoptr(Frame) any = placed("auto", "/", naming->example);
        g_autoptr(Frame) alone = placed(naming->key, "/", naming->example);
        g_autofree char *by_any = place_line(any), *by_row = place_line(alone);
        ck_assert_pstr_eq(any->naming, naming->key);
        ck_assert_str_eq(by_any, by_row);
        ck_assert_int_gt((int)strlen(naming->sentence), 0);
        ck_assert(naming_exists(naming->key));
    }
}
END_TEST

START_TEST(a_source_with_one_naming_tries_no_other) {
    expect_place("metaxpress", "/data", "Plate1_A01_s1_w1.TIF",
                 "metaxpress p=Plate1 w=A01 c=1 s=1");
    expect_place("phenix", "/data", "Plate1_A01_s1_w1.TIF", "- p=data w=A01");
}
END_TEST

START_TEST(a_naming_nobody_knows_does_not_exist) {
    ck_assert(naming_exists("auto"));
    ck_assert(naming_exists("yokogawa_cv"));
    ck_assert(!naming_exists("Yokogawa"));
    ck_assert(!naming_exists(""));
}
END_TEST

START_TEST(the_sources_own_folder_can_be_the_plate) {
    expect_place("auto", "/data/Plate7", "Images/r01c01f01p01-ch1sk1fk1fl1.tiff",
                 "phenix p=Plate7 w=A01 c=1 s=1 z=1 t=1");
    expect_place("auto", "/data/Plate7/", "A01f01d2.TIF", "cellomics p=Plate7 w=A01 c=2 s=1");
    expect_place("auto", "/", "A01f01d2.TIF", "cellomics w=A01 c=2 s=1");
    expect_place("auto", ".", "A01f01d2.TIF", "cellomics w=A01 c=2 s=1");
}
END_TEST

START_TEST(a_well_no_plate_has_is_no_match) {
    expect_place("auto", "/data", "Plate1_ZZ99_s1_w1.TIF", "-");
    expect_place("auto", "/data", "r00c01f01p01-ch1sk1fk1fl1.tiff", "-");
    expect_place("auto", "/data", "r33c01f01p01-ch1sk1fk1fl1.tiff", "-");
    expect_place("auto", "/data", "r32c48f01p01-ch1sk1fk1fl1.tiff",
                 "phenix w=AF48 c=1 s=1 z=1 t=1");
    expect_place("auto", "/data", "r01c49f01p01-ch1sk1fk1fl1.tiff", "-");
    expect_place("auto", "/data", "r26c01f01p01-ch1sk1fk1fl1.tiff", "phenix w=Z01 c=1 s=1 z=1 t=1");
    expect_place("auto", "/data", "r27c01f01p01-ch1sk1fk1fl1.tiff",
                 "phenix w=AA01 c=1 s=1 z=1 t=1");
}
END_TEST

START_TEST(an_unknown_name_with_one_well_is_believed) {
    expect_place("auto", "/data", "run 3/cells-B07-dapi.tif", "- p=run 3 w=B07");
    expect_place("auto", "/data", "cells-A01-B02.tif", "-"); /* which of them? */
    expect_place("auto", "/data", "cells_XA01.tif", "-");
    expect_place("auto", "/data", "DrosophilaEmbryo_GFPHistone_0003.tif", "-");
    expect_place("auto", "/data", "basn0g01.png", "-");
    expect_place("auto", "/data", "cells-Q07.tif", "-");
    expect_place("auto", "/data", "cells-A25.tif", "-");
}
END_TEST

START_TEST(numbers_too_large_are_unknown_and_nothing_else_is_lost) {
    expect_place("auto", "/data", "protocol_t99999999999_C05_s2147483648_w0_z2147483647.tif",
                 "metaxpress_hcsai p=protocol w=C05 c=0 z=2147483647");
}
END_TEST

START_TEST(names_that_are_not_plain_text_are_read_as_they_are_encoded) {
    expect_place("auto", "/data", "50%_A01_s1_w1.tif", "metaxpress p=50% w=A01 c=1 s=1");
    expect_place("auto", "/data", "caf\xc3\xa9_A01_s1_w1.tif",
                 "metaxpress p=caf\xc3\xa9 w=A01 c=1 s=1");
    expect_place("auto", "/data", "caf\xe9_A01_s1_w1.tif", "metaxpress p=caf%E9 w=A01 c=1 s=1");
    expect_place("auto", "/data", "a\nb_A01_s1_w1.tif", "metaxpress p=a%0Ab w=A01 c=1 s=1");
}
END_TEST

START_TEST(giant_and_odd_names_do_no_harm) {
    g_autofree char *giant = g_strnfill(100000, '_');
    g_autofree char *long_name = g_strnfill(255, '_');
    expect_place("auto", "/data", giant, "-");
    expect_place("auto", "/data", long_name, "-");
    expect_place("auto", "/data", "", "-");
    expect_place("auto", "/data", "/", "-");
    expect_place("auto", "/data", "folder/", "-");
    expect_place("auto", "", "x.tif", "-");
}
END_TEST

SUITE("naming", names_of_known_instruments_tell_their_place,
      every_row_reads_its_own_example_and_says_something_of_it,
      a_source_with_one_naming_tries_no_other, a_naming_nobody_knows_does_not_exist,
      the_sources_own_folder_can_be_the_plate, a_well_no_plate_has_is_no_match,
      an_unknown_name_with_one_well_is_believed,
      numbers_too_large_are_unknown_and_nothing_else_is_lost,
      names_that_are_not_plain_text_are_read_as_they_are_encoded, giant_and_odd_names_do_no_harm)
