#include "options.h"

#include "json.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE_FAILED = 2, LIFETIME_MAX_S = 1000000000 };

static void print_usage(FILE *stream)
{
    fputs("Usage: nexauth-emulator [OPTION]...\n"
          "The token services of NEX, Quantoz Nexus and Nexusguard on loopback, for development and tests.\n"
          "\n"
          "  --accounts FILE     who may ask for tokens, as JSON (default: built-in accounts)\n"
          "  --ca-file PATH      where to write the CA certificate (default: a file that is removed at the end)\n"
          "  --lifetime SECONDS  how long all tokens live (default: as each vendor has it)\n"
          "  --tokens JSON       how tokens are handed out; may be repeated\n"
          "  --limit JSON        what limit of requests is enforced; may be repeated (default: none)\n"
          "  --fault JSON        what goes wrong; may be repeated\n"
          "  --list-answers      show the answers that a fault can name, and end\n"
          "  --until-eof         end when standard input does\n"
          "  --help              show this and end\n"
          "  --version           show the version and end\n",
          stream);
}

static int complain(const char *option, const char *problem)
{
    fprintf(stderr, "nexauth-emulator: %s: %s\n", option, problem);
    return USAGE_FAILED;
}

static int take_lifetime(struct emu *emu, const char *text)
{
    char *end = NULL;

    errno = 0;
    long lifetime_s = strtol(text, &end, 10);
    if (errno || end == text || *end != '\0' || lifetime_s <= 0 || lifetime_s > LIFETIME_MAX_S)
        return complain("--lifetime", "It is not a whole number between 1 and 1000000000.");
    for (size_t i = 0; i < EMU_VENDORS; i++)
        emu->tokens.of[i].lifetime_s = lifetime_s;
    return -1;
}

static int take_tokens(struct emu *emu, const char *text)
{
    cJSON *description = emu_json_parse(text, strlen(text));
    const char *problem = emu_tokens_tell(&emu->tokens, description);

    cJSON_Delete(description);
    return problem ? complain("--tokens", problem) : -1;
}

static int take_limit(struct emu *emu, const char *text)
{
    cJSON *description = emu_json_parse(text, strlen(text));
    const char *problem = emu_limits_tell(&emu->limits, description);

    cJSON_Delete(description);
    return problem ? complain("--limit", problem) : -1;
}

static int take_fault(struct emu *emu, const char *text)
{
    const char *problem = emu_faults_add(&emu->faults, &emu->shapes, text, strlen(text), emu_now_us(emu));

    return problem ? complain("--fault", problem) : -1;
}

static int show_answers(const struct emu *emu)
{
    emu_shapes_print(&emu->shapes, stdout);
    return EXIT_SUCCESS;
}

/* -1 to go on, or the status to exit with. */
static int take_option(int option, struct emu *emu, struct emu_options *options)
{
    switch (option) {
    case 'a':
        options->accounts = optarg;
        return -1;
    case 'c':
        options->ca_file = optarg;
        return -1;
    case 'l':
        return take_lifetime(emu, optarg);
    case 't':
        return take_tokens(emu, optarg);
    case 'm':
        return take_limit(emu, optarg);
    case 'f':
        return take_fault(emu, optarg);
    case 'n':
        return show_answers(emu);
    case 'u':
        options->until_eof = true;
        return -1;
    case 'h':
        print_usage(stdout);
        return EXIT_SUCCESS;
    case 'v':
        puts("nexauth-emulator " EMU_VERSION);
        return EXIT_SUCCESS;
    default:
        print_usage(stderr);
        return USAGE_FAILED;
    }
}

int emu_options_read(int count, char **values, struct emu *emu, struct emu_options *options)
{
    static const struct option known[] = {
        {"accounts", required_argument, NULL, 'a'},
        {"ca-file", required_argument, NULL, 'c'},
        {"lifetime", required_argument, NULL, 'l'},
        {"tokens", required_argument, NULL, 't'},
        {"limit", required_argument, NULL, 'm'},
        {"fault", required_argument, NULL, 'f'},
        {"list-answers", no_argument, NULL, 'n'},
        {"until-eof", no_argument, NULL, 'u'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option = 0;

    while ((option = getopt_long(count, values, "", known, NULL)) != -1) {
        int status = take_option(option, emu, options);
        if (status >= 0)
            return status;
    }
    emu->at_start = emu->tokens;
    emu->limits_at_start = emu->limits;
    if (optind == count)
        return -1;
    print_usage(stderr);
    return USAGE_FAILED;
}
