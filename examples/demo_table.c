#include "demo.h"

#include <stdio.h>
#include <stdlib.h>

/* How many places UTF-8 text takes on a screen, for text whose characters take one each. */
static int places_of(const char *text)
{
    int places = 0;

    for (; *text; text++)
        places += ((unsigned char)*text & 0xc0) != 0x80;
    return places;
}

/* The last column is not filled up, so that no line ends in blanks. */
static void print_cell(const struct demo_column *column, const char *text)
{
    const int missing = abs(column->width) - places_of(text);
    const int blanks = missing > 0 ? missing : 0;

    if (column->width < 0)
        printf("  %*s%s", blanks, "", text);
    else
        printf("  %s%*s", text, column[1].title ? blanks : 0, "");
}

static void print_rule(const struct demo_column *columns)
{
    int places = 1;

    for (; columns->title; columns++)
        places += 2 + abs(columns->width);
    while (places-- > 0)
        fputs("─", stdout);
    putchar('\n');
}

void demo_table_begin(const char *title, const struct demo_column *columns)
{
    printf("\n%s\n", title);
    print_rule(columns);
    putchar(' ');
    for (size_t i = 0; columns[i].title; i++)
        print_cell(&columns[i], columns[i].title);
    putchar('\n');
    print_rule(columns);
}

void demo_table_row(bool as_expected, const struct demo_column *columns, const char *const *cells)
{
    fputs(as_expected ? "✓" : "✗", stdout);
    for (size_t i = 0; columns[i].title; i++)
        print_cell(&columns[i], cells[i]);
    putchar('\n');
}

void demo_table_end(const struct demo_column *columns, const char *const *notes)
{
    print_rule(columns);
    for (; *notes; notes++)
        printf("   %s\n", *notes);
}
