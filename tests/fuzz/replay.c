/* Gives a target the inputs of a folder, each once: replay FOLDER LEAST. Fewer than LEAST are a failure. Any compiler
 * builds this in place of libFuzzer. */
#include "fuzz/target.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 1024 * 1024, PATH_LONGEST = 1024 };

static int replay(const char *folder, const char *name, uint8_t *bytes)
{
    char path[PATH_LONGEST];
    FILE *stream = NULL;
    uint8_t *copy = NULL;
    size_t size = 0;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fprintf(stderr, "%s\n", path); /* the last one is what a program that ends has ended by */
    stream = fopen(path, "rb");
    if (!stream)
        return 0;
    size = fread(bytes, 1, LONGEST, stream);
    fclose(stream);
    copy = (uint8_t *)target_copy(bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 1;
}

int main(int count, char **arguments)
{
    DIR *folder = count == 3 ? opendir(arguments[1]) : NULL;
    uint8_t *bytes = malloc(LONGEST);
    const struct dirent *entry = NULL;
    int replayed = 0;

    HOLDS(folder != NULL && bytes != NULL);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            replayed += replay(arguments[1], entry->d_name, bytes);
    }
    closedir(folder);
    free(bytes);
    printf("%d inputs\n", replayed);
    return replayed >= (int)strtol(arguments[2], NULL, 10) ? 0 : 1;
}
