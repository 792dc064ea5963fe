/* syncsim version: which build this is, and which formats it speaks. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "reports/report.h"
#include "search/build_id.h"
#include "search/bundle.h"

#define VERSION "0.1.0"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

static const struct option long_options[] = {{"help", no_argument, NULL, OPTIONS_HELP}, {NULL, 0, NULL, 0}};

static int run(const char *program, int argc, char **argv) {
  char id[BUILD_ID_BYTES];
  (void)program;
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_WRONG) return EXIT_USAGE;
    (void)fputs(command_version.help, stdout);
    return EXIT_HELD;
  }
  build_id(id);
  (void)printf("syncsim %s\nbuild %s\ncompiler %s\nformats: bundle %u, JSON report %d\n", VERSION, id, COMPILER,
               BUNDLE_FORMAT, REPORT_JSON_FORMAT);
  return EXIT_HELD;
}

const struct command command_version = {"version", "show version, build and formats",
                                        "Usage: syncsim version\n"
                                        "\n"
                                        "Shows the version, the build id (a hash of the program's file, which bundles\n"
                                        "carry), the compiler, and the versions of the formats that it writes.\n",
                                        run};
