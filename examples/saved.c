#include "saved.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool saved_load(const char *path, char *refresh_token, size_t size)
{
    FILE *file = fopen(path, "r");

    if (!file)
        return false;
    if (!fgets(refresh_token, (int)size, file))
        refresh_token[0] = '\0';
    fclose(file);
    refresh_token[strcspn(refresh_token, "\n")] = '\0';
    return refresh_token[0] != '\0';
}

static bool write_file(const char *path, const char *line)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written;

    if (file < 0)
        return false;
    written = dprintf(file, "%s\n", line) > 0 && fsync(file) == 0;
    return close(file) == 0 && written;
}

/* The new file takes the old one's place only when it is complete. What an earlier run left half done goes first. */
bool saved_store(const char *path, const char *refresh_token)
{
    char new_path[4096];

    if ((size_t)snprintf(new_path, sizeof new_path, "%s.new", path) >= sizeof new_path)
        return false;
    unlink(new_path);
    return write_file(new_path, refresh_token) && rename(new_path, path) == 0;
}

void saved_drop(const char *path)
{
    unlink(path);
}
