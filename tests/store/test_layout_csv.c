/* Plate layouts as spreadsheets write them, right and wrong. */
#include "store/commands/layout_csv.h"
#include "tests/suite.h"
#include <string.h>

static char *read_plate(const char *text, guint rows, guint columns, GError **error) {
    return layout_csv_read(text, strlen(text), rows, columns, error);
}

static void expect_wells(const char *text, const char *wells) {
    g_autoptr(GError) error = NULL;
    g_autofree char *read = read_plate(text, 32, 48, &error);
    ck_assert_msg(read != NULL, "%s: %s", text, error != NULL ? error->message : "");
    ck_assert_str_eq(read, wells);
}

static void expect_refusal(const char *text, const char *words) {
    g_autoptr(GError) error = NULL;
    g_autofree char *read = read_plate(text, 8, 12, &error);
    ck_assert_msg(read == NULL, "accepted: %s", text);
    ck_assert(fault_is(error, FAULT_USAGE));
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' misses '%s'", error->message, words);
    ck_assert_ptr_null(strchr(error->message, '\n'));
}

START_TEST(columns_come_in_any_order_and_wells_in_any_spelling) {
    expect_wells("role,Well,unit,concentration\nnegative,a1,uM,1e-3\n,AF48,,\n",
                 "[{\"role\":\"negative\",\"well\":\"A01\",\"unit\":\"uM\",\"concentration\":"
                 "\"1e-3\"},{\"well\":\"AF48\"}]");
    expect_wells("well\nB003\nz09\n", "[{\"well\":\"B03\"},{\"well\":\"Z09\"}]");
}
END_TEST

START_TEST(what_spreadsheets_do_to_a_file_is_understood) {
    expect_wells("\xef\xbb\xbfwell,treatment\r\n\"A1\" , \"a \"\"b\"\", c\"\r\n,\r\n\r\nA2,x",
                 "[{\"well\":\"A01\",\"treatment\":\"a \\\"b\\\", c\"},"
                 "{\"well\":\"A02\",\"treatment\":\"x\"}]");
    expect_wells("well;concentration\nA1;0,5\n", "[{\"well\":\"A01\",\"concentration\":\"0.5\"}]");
    expect_wells("well\tunit\rA1\t\xc2\xb5M\r", "[{\"well\":\"A01\",\"unit\":\"µM\"}]");
}
END_TEST

START_TEST(wrong_lines_are_named_by_their_number) {
    expect_refusal("well\nA1\nI1\n", "line 3: well 'I1': expected one of a plate of 8 rows and 12");
    expect_refusal("well\nA13\n", "line 2: well 'A13'");
    expect_refusal("well\nA0\n", "line 2: well 'A0'");
    expect_refusal("well\n1A\n", "line 2: well '1A'");
    expect_refusal("well\nAAA1\n", "line 2: well 'AAA1'");
    expect_refusal("well,role\nA1,control\n", "line 2: role 'control': expected sample, positive");
    expect_refusal("well,concentration\nA1,-1\n", "line 2: concentration '-1': expected a number");
    expect_refusal("well,concentration\nA1,1e999\n", "concentration '1e999'");
    expect_refusal("well,concentration\nA1,0x10\n", "concentration '0x10'");
    expect_refusal("well,concentration\nA1,\"0,5\"\n", "concentration '0,5'");
    expect_refusal("well,role\nA1\n\na01,blank\n", "line 4: well A01: stands in line 2 already");
    expect_refusal("well,role\nA1,blank,3\n", "line 2: 3 fields: expected 2");
    expect_refusal("role,well\nblank\n", "line 2: the well is missing");
    expect_refusal("well\n\"A\n1\"\nA2\nA99\n", "line 5: well 'A99'"); /* a field of two lines */
    expect_refusal("well\nA1\n\"A2\nA3\n", "line 3: a quote is not closed");
    expect_refusal("well,unit\n\"A1\"x,y\n", "line 2: text behind a closing quote");
}
END_TEST

START_TEST(all_wrong_lines_are_told_at_once_up_to_a_few) {
    expect_refusal("well\nX1\nA1\nX2\nX3\nX4\nX5\nX6\nX7\n", "line 2: well 'X1'");
    expect_refusal("well\nX1\nA1\nX2\nX3\nX4\nX5\nX6\nX7\n", "line 7: well 'X5'");
    expect_refusal("well\nX1\nA1\nX2\nX3\nX4\nX5\nX6\nX7\n", "and 2 more lines");
}
END_TEST

START_TEST(a_file_without_names_or_wells_is_none) {
    expect_refusal("", "line 1");
    expect_refusal("A1,negative\nA2,positive\n", "line 1: 'A1': expected the names well, role");
    expect_refusal("role,unit\nblank,x\n", "'well' for one");
    expect_refusal("well,well\nA1,A2\n", "line 1: 'well'");
    expect_refusal("well,role\n\n\n", "a line for each well");
    expect_refusal("well,unit\nA1,\xb5M\n", "UTF-8");
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(layout_csv_read("well\nA1\0\n", 9, 8, 12, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "UTF-8"));
}
END_TEST

SUITE("layout_csv", columns_come_in_any_order_and_wells_in_any_spelling,
      what_spreadsheets_do_to_a_file_is_understood, wrong_lines_are_named_by_their_number,
      all_wrong_lines_are_told_at_once_up_to_a_few, a_file_without_names_or_wells_is_none)
