#include "store/commands/table.h"
#include "stream/program.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    LINE_COLUMNS = 100,
    CELL_COLUMNS = 60, /* a longer text is cut, but in the last column */
};

/* --- cells --- */

enum { BOOLEAN = 16, DOUBLE_PRECISION = 701, TIMESTAMPTZ = 1184 }; /* of pg_type; we ask for UTC */

static bool is_number(const PostgresRows *rows, int column) {
    static const Oid numbers[] = {20, 21, 23, 700, DOUBLE_PRECISION, 1700};
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (PQftype(rows, column) == numbers[i])
            return true;
    return false;
}

/* How many columns of a terminal. */
static int text_width(const char *text) {
    int width = 0;
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar letter = g_utf8_get_char(text);
        if (!g_unichar_iszerowidth(letter))
            width += g_unichar_iswide(letter) ? 2 : 1;
    }
    return width;
}

/* Of a text's beginning that fills most columns. */
static gsize fitting_bytes(const char *text, int most) {
    const char *end = text;
    for (int width = 0; *end != '\0'; end = g_utf8_next_char(end)) {
        width += g_unichar_iswide(g_utf8_get_char(end)) ? 2 : 1;
        if (width > most)
            break;
    }
    return (gsize)(end - text);
}

/* A value as people write it; g_free it. */
static char *value_text(const PostgresRows *rows, int row, int column) {
    enum { TO_SECONDS = sizeof "2026-03-01 14:30:00" - 1 };
    const char *value = postgres_text(rows, row, column);
    if (value == NULL)
        return g_strdup("");
    switch (PQftype(rows, column)) {
    case BOOLEAN: return g_strdup(*value == 't' ? "yes" : "no");
    case DOUBLE_PRECISION: return g_strdup_printf("%.6g", postgres_number(rows, row, column));
    case TIMESTAMPTZ: return g_strdup_printf("%.*s UTC", TO_SECONDS, value);
    default: return program_one_line(g_strdup(value));
    }
}

static char *cell_text(const PostgresRows *rows, int row, int column, bool is_last) {
    char *text = value_text(rows, row, column);
    if (is_last || text_width(text) <= CELL_COLUMNS)
        return text;
    text[fitting_bytes(text, CELL_COLUMNS - 3)] = '\0';
    char *cut = g_strconcat(text, "...", NULL);
    g_free(text);
    return cut;
}

/* rearm_s is "rearm (s)". */
static char *name_text(const PostgresRows *rows, int column) {
    const char *name = PQfname(rows, column);
    g_autofree char *words = g_strdelimit(g_strdup(name), "_", ' ');
    if (!g_str_has_suffix(name, "_s"))
        return g_steal_pointer(&words);
    return g_strdup_printf("%.*s(s)", (int)strlen(words) - 1, words);
}

/* A column without any value is left out. */
static bool is_empty(const PostgresRows *rows, int column) {
    for (int row = 0; row < PQntuples(rows); row++)
        if (postgres_text(rows, row, column) != NULL)
            return false;
    return PQntuples(rows) > 0;
}

/* 0: nothing to be seen. */
static int column_width(const PostgresRows *rows, int column, bool is_last) {
    g_autofree char *name = name_text(rows, column);
    int width = is_empty(rows, column) ? 0 : text_width(name);
    for (int row = 0; row < PQntuples(rows); row++) {
        g_autofree char *text = cell_text(rows, row, column, is_last);
        width = MAX(width, text_width(text));
    }
    return width;
}

/* --- lines --- */

/* How long a line may be; 0: as long as it is. */
static int line_columns(void) {
    struct winsize size;
    bool is_terminal = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    return is_terminal ? size.ws_col : 0;
}

/* Broken between words where it comes to `most` columns; what it is added to stands in column
 * indent. */
static void add_wrapped(GString *line, const char *text, int indent, int most) {
    int at = indent;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        int width = text_width(*word);
        bool breaks = at > indent && at + 1 + width > most;
        if (breaks)
            g_string_append_printf(line, "\n%*s", indent, "");
        else if (at > indent)
            g_string_append_c(line, ' ');
        g_string_append(line, *word);
        at = breaks ? indent + width : at + (at > indent) + width;
    }
}

static void add_cell(GString *line, const char *text, int width, bool to_the_right) {
    int padding = width - text_width(text);
    g_string_append_printf(line, "%*s%s%*s  ", to_the_right ? padding : 0, "", text,
                           to_the_right ? 0 : padding, "");
}

/* --- tables --- */

/* row: -1 for the names. */
static void print_line(const PostgresRows *rows, int columns, const int widths[], int row) {
    enum { LEAST = 30 }; /* columns: in fewer no text is broken into lines */
    g_autoptr(GString) line = g_string_new(NULL);
    int indent = 0, most = line_columns();
    for (int column = 0; column < columns; column++) {
        bool is_last = column == columns - 1;
        if (widths[column] == 0)
            continue;
        g_autofree char *text =
            row < 0 ? name_text(rows, column) : cell_text(rows, row, column, is_last);
        if (is_last && !is_number(rows, column) && most - indent >= LEAST)
            add_wrapped(line, text, indent, most);
        else
            add_cell(line, text, widths[column], is_number(rows, column));
        indent += widths[column] + 2;
    }
    puts(g_strchomp(line->str));
}

void table_print(const PostgresRows *rows) {
    table_print_columns(rows, PQnfields(rows));
}

void table_print_columns(const PostgresRows *rows, int columns) {
    g_autofree int *widths = g_new(int, columns);
    for (int column = 0; column < columns; column++)
        widths[column] = column_width(rows, column, column == columns - 1);
    for (int row = -1; row < PQntuples(rows); row++)
        print_line(rows, columns, widths, row);
}

void table_print_row(const PostgresRows *rows, int row) {
    int indent = 0;
    for (int column = 0; column < PQnfields(rows); column++) {
        g_autofree char *name = name_text(rows, column);
        indent = MAX(indent, text_width(name) + 2);
    }
    for (int column = 0; column < PQnfields(rows); column++) {
        if (postgres_text(rows, row, column) == NULL)
            continue;
        g_autofree char *name = name_text(rows, column);
        g_autofree char *value = value_text(rows, row, column);
        g_autoptr(GString) line = g_string_new(NULL);
        g_string_append_printf(line, "%-*s", indent, name);
        add_wrapped(line, value, indent, LINE_COLUMNS);
        puts(line->str);
    }
}
